"""Which lines of a CSV file are one row, what separates its columns, and columns that exist twice."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import InvalidTransactionError
from contract.mapping.document import parse_mapping
from contract.reading.csv_rows import CsvRecords, doubled_column, fields_of, read_header, separator_line
from contract.reading.record import Record
from contract.reading.text import lines_of
from contract.transaction import MAX_RECORD_BYTES

MAPPING = parse_mapping("user_id: who\namount: how much\ntimestamp: when", "map.yaml")


def records(text: str, delimiter: str | None = ",") -> list[Record]:
    """All records of a text."""
    found = CsvRecords(lines_of([text.encode()]))
    found.delimiter = delimiter
    return list(found)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\n\n", "\n\r"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('t1,"hello', 'bye",d'),
        ('"', '",t1'),
        ('t1, "hello', 'bye" ,d'),
        ('t1,"say ""hi', '"" bye",d'),
        ('t1,"""', '""",d'),
    ],
)
def test_what_is_inside_quotes_is_never_a_row(line_break: str, before: str, after: str) -> None:
    forged = "t-forged,u-victim,9999.00"

    found = records(f"{before}{line_break}{forged}{line_break}{after}\nt2,x\n")

    assert [record.raw.decode() for record in found] == [
        f"{before}{line_break}{forged}{line_break}{after}",
        "t2,x",
    ]
    assert all(record.problem is None for record in found)


@pytest.mark.parametrize("text", ['5" pipe,a\n', 'a,5" pipe\n', 'a,b"c"\n'])
def test_a_quote_within_an_unquoted_value_opens_nothing(text: str) -> None:
    found = records(text + "t2,x\n")

    assert [record.raw for record in found] == [text.rstrip().encode(), b"t2,x"]


@pytest.mark.parametrize("text", ['"5" pipe\nt-forged,1\nend",d', '"a"b\nt-forged,1\n"",d\n"'])
def test_a_quote_that_neither_ends_a_value_nor_is_doubled_does_not_end_it(text: str) -> None:
    found = records(text + "\n")

    assert b"t-forged,1" not in [record.raw for record in found]


@pytest.mark.parametrize("before", ["", "t1,x\n", 't1,"ok"\n'])
def test_a_quote_that_is_never_closed_swallows_nothing_in_silence(before: str) -> None:
    found = records(f'{before}t2,"open\nt3,x\nt4,y\n')

    first = before.count("\n") + 1
    problem = f"after a quote in line {first} that is never closed"
    assert found[-3:] == [
        Record(first, b't2,"open', problem),
        Record(first + 1, b"t3,x", problem),
        Record(first + 2, b"t4,y", problem),
    ]


def test_a_quoted_value_that_is_too_long_is_refused_through_its_closing_quote() -> None:
    line = "t-forged," + "x" * 1000 + "\n"
    count = MAX_RECORD_BYTES // len(line) + 50

    found = records(f't1,"\n{line * count}",d\nt2,x\n')

    assert [record.raw for record in found if record.problem is None] == [b"t2,x"]
    assert len(found) == count + 3
    assert {record.problem for record in found[:-1]} == {
        f"in a quoted value that began in line 1 and is longer than {MAX_RECORD_BYTES} bytes"
    }


@given(
    st.lists(
        st.lists(st.text('a" ,;\r\n', max_size=8).map(str.strip), min_size=2, max_size=4),
        min_size=1,
        max_size=5,
    )
)
def test_rows_that_a_program_has_written_come_back_as_they_were(rows: list[list[str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows(rows)

    found = records(buffer.getvalue())

    assert [fields_of(record.raw.decode(), ",") for record in found] == rows


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [(b"sep=;", ";"), (b"SEP=,\r\n", ","), (b'"sep=|"\n', "|"), (b"sep=\t\n", "\t"), (b"sep=;a", None), (b"sep", None), (b"sep,;", None)],
)  # fmt: skip
def test_a_separator_line_says_what_separates(line: bytes, delimiter: str | None) -> None:
    assert separator_line(line) == delimiter


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("user_id,amount,timestamp", ","), ("user_id;amount;note, or more, or less,timestamp", ";"), ("user_id\tamount", "\t"),
        ("user_id|amount|a;b;c;d", "|"), ('"user_id";"amount, in EUR";"timestamp"', ";"), ("user_id", ","),
    ],
)  # fmt: skip
def test_the_separator_is_the_one_that_makes_known_columns(header: str, delimiter: str) -> None:
    assert read_header(header).delimiter == delimiter


@pytest.mark.parametrize("header", ["id;user,amount", "amount|x;user_id", "user\tx|amount"])
def test_a_header_that_can_be_separated_in_two_ways_is_refused(header: str) -> None:
    with pytest.raises(
        InvalidTransactionError, match=r"can be separated by .* or .*; the mapping has to say delimiter"
    ):
        read_header(header)


def test_the_columns_of_a_mapping_and_its_delimiter_end_the_doubt() -> None:
    by_columns = read_header("who;how much;when,user_id,amount,timestamp", MAPPING)
    by_word = read_header("id;user,amount", delimiter=";")

    assert (by_columns.delimiter, by_columns.names[:2]) == (";", ["who", "how much"])
    assert by_word.names == ["id", "user,amount"]


@pytest.mark.parametrize(
    ("names", "doubled"),
    [
        (["user_id", "amount", "amount"], "amount"), (["user_id", "amount", "Amount"], "Amount"), (["userId", "user_id"], "user_id"),
        (["user_id", "customer_id"], None), (["note", "note", "user_id"], None), (["", "", "user_id"], None),
    ],
)  # fmt: skip
def test_columns_of_the_same_meaning_are_found(names: list[str], doubled: str | None) -> None:
    assert doubled_column(names) == doubled


@pytest.mark.parametrize(
    ("names", "doubled"), [(["who", "how much", "when", "note", "note"], None), (["who", "who", "how much", "when"], "who")]
)  # fmt: skip
def test_with_a_mapping_only_its_own_columns_count(names: list[str], doubled: str | None) -> None:
    assert doubled_column(names, MAPPING) == doubled


def test_a_column_that_only_the_bench_reads_counts_too() -> None:
    mapping = parse_mapping("user_id: who\namount: how much\ntimestamp: when\nappended_at: came", "m.yaml")

    assert doubled_column(["who", "how much", "when", "came", "came"], mapping) == "came"
