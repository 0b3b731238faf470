from __future__ import annotations

import bz2
import gzip
import io
import json
import tracemalloc
import zipfile
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from contract.mapping.document import parse_mapping
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


@pytest.mark.parametrize("again", ["a,b\n2,", "b,a\n", "\ufeffb,a\n", "\ufeffa,b\n2,"])
def test_a_header_in_the_middle_is_that_of_the_rows_behind_it(tmp_path: Path, again: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"a,b\n1,x y\n{again}" + ("z\n" if again.endswith(",") else "z,2\n"), encoding="utf-8")

    assert [row.fields for row in read_rows(path)] == [{"a": "1", "b": "x y"}, {"a": "2", "b": "z"}]


def test_rows_of_another_width_and_bytes_that_are_no_text_come_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n1\n1,2,3\n\xff,2\n")

    assert list(read_rows(path)) == [
        Row(None, b"1", 2, "1 values for 2 columns"),
        Row(None, b"1,2,3", 3, "3 values for 2 columns"),
        Row(None, b"\xff,2", 4, "not UTF-8 (invalid start byte); a mapping can say encoding"),
    ]


@pytest.mark.parametrize(
    "line", [b"not json", b"[1, 2]", b'"text"', b'{"a": ', b"\xff\xfe", b'{"a": "\\ud800"}']
)
def test_json_lines_that_are_no_objects_come_as_they_are(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'{"a": 1}\n' + line + b"\n")

    assert [row.fields for row in read_rows(path)] == [{"a": 1}, None]


def test_an_object_with_the_same_key_twice_is_no_row_as_for_the_ingestion_job(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'{"a": 1, "a": 2}\n')

    assert list(read_rows(path)) == [
        Row(None, b'{"a": 1, "a": 2}', 1, "an object with the same key twice"),
    ]


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
    [("t.csv.gz", b"no gzip"), ("t.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9])],
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


TABLE = "user_id,amount,timestamp,is_fraud\nu1,1.00,2026-01-05T12:30:00Z,0\nu2,2.00,2026-01-05T12:31:00Z,1\n"


def zipped(*names: str) -> bytes:
    """An archive of files of these names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, TABLE)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", TABLE.encode("utf-16")), ("a.CSV", b"\xfe\xff" + TABLE.encode("utf-16-be")), ("A.CSV.GZ", gzip.compress(TABLE.encode())),
        ("a.csv.Gz", gzip.compress(TABLE.encode())), ("a.csv.bz2", bz2.compress(TABLE.encode())), ("a.zip", zipped("t.csv")),
        ("a.csv.ZIP", zipped("x/t.CSV", "__MACOSX/._t.CSV")), ("a.csv", b"sep=;\r\n" + TABLE.replace(",", ";").encode()),
        ("a.csv", TABLE.replace("\n", "\r").encode()), ("a.csv", TABLE.replace(",", ", ").encode()),
    ],
    ids=["utf-16", "utf-16-be", "GZ", "Gz", "bz2", "zip", "ZIP", "sep", "carriage returns", "spaces"],
)  # fmt: skip
def test_a_file_of_the_field_gives_the_rows_of_a_plain_one(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    (tmp_path / "plain.csv").write_text(TABLE)

    (path,) = find_files(tmp_path / name)

    assert [row.fields for row in read_rows(path)] == [
        row.fields for row in read_rows(tmp_path / "plain.csv")
    ]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.zip", zipped("a.csv", "b.csv"), "a zip archive of 2 files"), ("a.zip", zipped("a.txt"), "ends in none of .csv"),
        ("a.csv", TABLE.encode("utf-16-le"), "holds NUL"), ("a.csv", TABLE.encode("latin-1").replace(b"is_fraud", b"is_fr\xe4ud"), "say encoding"),
        ("a.csv", b"user_id,amount,amount,timestamp\nu,1,2,x\n", "two columns have the name or the meaning of 'amount'"),
        ("a.csv", b"id;user,amount\n1;2,3\n", "can be separated by ',' or ';'"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_with_what_would_help(
    tmp_path: Path, name: str, data: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(data)

    with pytest.raises(DatasetError, match=message):
        columns_of(tmp_path / name)


@pytest.mark.parametrize("empty", ["", "\n", "\ufeff", "user_id,amount,timestamp,is_fraud\n"])
def test_empty_parts_of_a_folder_are_passed_over(tmp_path: Path, empty: str) -> None:
    (tmp_path / "part-00000.csv").write_text(empty)
    (tmp_path / "part-00001.csv").write_text(TABLE)

    files = find_files(tmp_path)

    assert columns_of(*files) == ("user_id", "amount", "timestamp", "is_fraud")
    assert sum(1 for file in files for _ in read_rows(file)) == 2


def test_a_part_without_the_columns_of_the_mapping_is_an_error_that_names_it(tmp_path: Path) -> None:
    mapping = parse_mapping("user_id: user_id\namount: amount\ntimestamp: timestamp", "map.yaml")
    (tmp_path / "part-1.csv").write_text("u3,3.00,2026-01-05T12:30:00Z,0\nu4,4.00,2026-01-05T12:30:00Z,0\n")

    with pytest.raises(DatasetError, match=r"part-1.csv: user_id: no column 'user_id'; the file has u3"):
        list(read_rows(tmp_path / "part-1.csv", mapping))


@pytest.mark.parametrize("name", ["t.csv", "lines.jsonl", "array.json", "pretty.json"])
def test_a_limit_reads_about_that_much_of_a_file(tmp_path: Path, name: str) -> None:
    rows = [{"user_id": f"u{number}", "amount": "1.00", "note": "x" * 100} for number in range(40_000)]
    contents = {
        "t.csv": lambda: "user_id,amount,note\n" + "".join(",".join(row.values()) + "\n" for row in rows),
        "lines.jsonl": lambda: lines(rows),
        "array.json": lambda: json.dumps(rows),
        "pretty.json": lambda: json.dumps(rows, indent=2),
    }
    (tmp_path / name).write_text(contents[name]())
    tracemalloc.start()

    found = list(islice(read_rows(tmp_path / name), 10))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [row.fields for row in found] == rows[:10]
    assert peak < 1_000_000


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_a_refused_row_of_several_lines_stays_one_line(tmp_path: Path, line_break: str) -> None:
    (tmp_path / "t.csv").write_bytes(f'a,b\n1,"x{line_break}2,y",z\n'.encode())

    (row,) = read_rows(tmp_path / "t.csv")

    assert row.fields is None
    assert json.loads(row.raw) == f'1,"x{line_break}2,y",z'
