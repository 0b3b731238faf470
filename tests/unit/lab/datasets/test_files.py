from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from lab.datasets.errors import DatasetError
from lab.datasets.files import Row, columns_of, find_files, read_rows

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [{"a": "1", "b": "x y"}, {"a": "2", "b": 'q"u,o;te'}]


def lines(rows: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


CONTENTS = {
    "t.csv": 'a,b\n1,x y\n2,"q""u,o;te"\n',
    "semicolon.csv": 'a;b\n1;x y\n2;"q""u,o;te"\n',
    "bom.csv": '\ufeffa,b\n1,x y\n\n2,"q""u,o;te"\n',
    "t.tsv": 'a\tb\n1\tx y\n2\t"q""u,o;te"\n',
    "t.jsonl": lines(ROWS),
    "t.ndjson": lines(ROWS) + "\n",
    "lines.json": lines(ROWS),
    "array.json": json.dumps(ROWS, indent=2),
}


@pytest.mark.parametrize("is_compressed", [False, True])
@pytest.mark.parametrize("name", CONTENTS)
def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path, name: str, is_compressed: bool) -> None:
    path = tmp_path / (name + ".gz" if is_compressed else name)
    data = CONTENTS[name].encode()
    path.write_bytes(gzip.compress(data, mtime=0) if is_compressed else data)

    assert [row.fields for row in read_rows(path)] == ROWS
    assert columns_of(path) == ("a", "b")


def test_rows_of_another_width_and_bytes_that_are_no_text_come_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n1\n1,2,3\n\xff,2\n")

    assert list(read_rows(path)) == [Row(None, b"1"), Row(None, b"1,2,3"), Row(None, b"\xff,2")]


@pytest.mark.parametrize(
    "line", [b"not json", b"[1, 2]", b'"text"', b'{"a": ', b"\xff\xfe", b'{"a": "\\ud800"}']
)
def test_json_lines_that_are_no_objects_come_as_they_are(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'{"a": 1}\n' + line + b"\n")

    assert [row.fields for row in read_rows(path)] == [{"a": 1}, None]


def test_a_row_of_an_array_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text('[{"a":\n "x\\ny"},\n [\n1]]')

    assert [row.raw for row in read_rows(path)] == [b'{"a":"x\\ny"}', b"[1]"]


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"amount": 12345678901234567.10}\n')

    (row,) = read_rows(path)
    assert row.fields is not None
    assert str(row.fields["amount"]) == "12345678901234567.10"


def test_a_number_that_no_decimal_can_hold_makes_a_row_that_comes_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1}\n{"a": 1e99999999999999999999}\n')

    assert [row.fields for row in read_rows(path)] == [{"a": 1}, None]


def test_a_folder_is_its_files_in_order(tmp_path: Path) -> None:
    for name in ("b.csv", "sub/a.jsonl.gz", "note.txt", "a.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert [file.name for file in find_files(tmp_path)] == ["a.csv", "b.csv", "a.jsonl.gz"]


def test_what_cannot_be_read_is_named_with_what_can(tmp_path: Path) -> None:
    (tmp_path / "t.xlsx").touch()

    for path in (tmp_path / "none.csv", tmp_path / "t.xlsx", tmp_path):
        with pytest.raises(DatasetError, match=str(path)):
            find_files(path)


@pytest.mark.parametrize(
    ("name", "data"),
    [("t.json", b"[{]"), ("t.csv.gz", b"no gzip"), ("t.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9])],
)
def test_a_file_that_is_not_what_its_name_says_is_an_error(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)

    with pytest.raises(DatasetError, match=name):
        list(read_rows(tmp_path / name))


@pytest.mark.parametrize("data", ["", "a,b\n", "\n"])
def test_a_file_without_rows_is_an_error(tmp_path: Path, data: str) -> None:
    (tmp_path / "t.csv").write_text(data)

    with pytest.raises(DatasetError, match="no rows"):
        columns_of(tmp_path / "t.csv")
