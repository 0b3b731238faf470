"""Rows of JSON files: one in each line, elements of an array, and objects over several lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.reading.json_rows import json_records
from contract.transaction import MAX_RECORD_BYTES

if TYPE_CHECKING:
    from contract.reading.record import Record

ROWS = [
    {"id": "t1", "note": 'a ] } , "q" \\ é', "place": {"lat": 1.5, "x": [1, [2]]}},
    {"id": "t2"},
    {"id": "t3", "n": None},
]


def cut(text: str | bytes, size: int = 7) -> list[bytes]:
    """Parts of this size."""
    data = text if isinstance(text, bytes) else text.encode()
    return [data[start : start + size] for start in range(0, len(data), size)]


def values(found: list[Record]) -> list[object]:
    """The rows' values; each must be one."""
    assert not [record for record in found if record.problem is not None]
    return [json.loads(record.raw) for record in found]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ROWS), json.dumps(ROWS, indent=2), json.dumps(ROWS, separators=(",", ":")), "\n".join(map(json.dumps, ROWS)),
        "\n".join(json.dumps(row, indent=4) for row in ROWS), "\r\n".join(json.dumps(row, indent=1) for row in ROWS),
        "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n", "\n\n  " + json.dumps(ROWS), "\n\n".join(map(json.dumps, ROWS)),
        json.dumps(ROWS[:1]) + "\n" + json.dumps(ROWS[1:]), ",\n".join(json.dumps(row, indent=2) for row in ROWS),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_arrays_lines_and_objects_over_several_lines_give_the_same_rows(text: str, size: int) -> None:
    assert values(list(json_records(cut(text, size)))) == ROWS


@given(
    st.lists(st.dictionaries(st.text(max_size=3), st.recursive(st.text('a"\\[]{}', max_size=5), st.lists), max_size=3), min_size=1, max_size=4),
    st.sampled_from([None, 1]),
    st.integers(1, 20),
)  # fmt: skip
def test_an_array_gives_back_what_a_program_wrote(
    rows: list[dict[str, object]], indent: int | None, size: int
) -> None:
    assert values(list(json_records(cut(json.dumps(rows, indent=indent), size)))) == rows


def test_a_row_has_the_line_in_which_it_begins() -> None:
    found = list(json_records(cut(json.dumps(ROWS, indent=2))))

    lines = json.dumps(ROWS, indent=2).splitlines()
    assert [lines[record.line - 1].strip() for record in found] == ["{"] * 3
    assert [record.line for record in found] == sorted(record.line for record in found)


@pytest.mark.parametrize("bad", ['{"id": tru}', '{"id": "x\ny"}', "1", '"text"', "[1, 2]", '{"a" 1}'])
def test_an_element_that_is_no_row_does_not_hide_the_others(bad: str) -> None:
    found = list(json_records(cut(f'[{{"id": "t1"}}, {bad}, {{"id": "t2"}}]')))

    assert [record.raw for record in found] == [b'{"id": "t1"}', bad.encode(), b'{"id": "t2"}']


@pytest.mark.parametrize(
    "cut_off", ['{"id": "t1", "us', '{"id": "t1"', "{", "garbage", '{"id": "t1", "note": "a\\']
)
def test_a_first_line_that_is_cut_off_does_not_hide_the_lines_after_it(cut_off: str) -> None:
    found = list(json_records(cut(f'{cut_off}\n{{"id": "t2"}}\n{{"id": "t3"}}\n')))

    assert [record.raw for record in found] == [cut_off.encode(), b'{"id": "t2"}', b'{"id": "t3"}']


@pytest.mark.parametrize(
    ("text", "raws", "problem"),
    [
        ('[{"id": "t1"}, {"id": "t', ['{"id": "t1"}', '{"id": "t'], "the file ends within this row"),
        ('[{"id": "t1"}', ['{"id": "t1"}', ""], "the file ends within its array: its last rows are missing"),
        ('{\n"id": "t1"\n}\n{\n"id":', ['{\n"id": "t1"\n}', '{\n"id":'], "the file ends within this row"),
        ('[{"id": "t1"},', ['{"id": "t1"}', ""], "the file ends within its array: its last rows are missing"),
    ],
)
def test_a_file_that_ends_too_early_is_reported(text: str, raws: list[str], problem: str) -> None:
    found = list(json_records(cut(text)))

    assert [record.raw.decode() for record in found] == raws
    assert found[-1].problem == problem


@pytest.mark.parametrize(
    "long", ["x" * 200_000, "\\\\" * 100_000, '\\"' * 70_001, ["x" * 50] * 4000, "y\n" * 50_000]
)
@pytest.mark.parametrize("size", [1000, 65_536, 1 << 20])
def test_a_row_that_is_too_long_is_refused_alone_and_not_held_in_memory(long: object, size: int) -> None:
    text = '[{"id": "t1"},\n' + f'{{"id": "t2", "note": {json.dumps(long)}}},\n' + '{"id": "t3"}]'

    found = list(json_records(cut(text, size)))

    assert [record.problem for record in found] == [
        None,
        f"a row of more than {MAX_RECORD_BYTES} bytes",
        None,
    ]
    assert len(found[1].raw) == MAX_RECORD_BYTES
    assert (found[2].raw, found[2].line) == (b'{"id": "t3"}', 3)


def test_text_without_rows_is_refused_in_parts() -> None:
    found = list(json_records(cut("[" + "nonsense " * 20_000 + "]", 65_536)))

    assert len(found) > 1
    assert max(len(record.raw) for record in found) <= MAX_RECORD_BYTES


@pytest.mark.parametrize("text", ["", "\n\n", "  ", "[]", "[\n]\n"])
def test_a_file_without_rows_has_none(text: str) -> None:
    assert list(json_records(cut(text))) == []
