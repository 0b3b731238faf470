"""Whole landed files, in the encodings, archives and notations of the field."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from contract.mapping.document import parse_mapping
from contract.mapping.form import UNSAID
from glue_scripts.landed_rows import LandedRow, landed_rows
from glue_scripts.rows import Published, Refund, Refused, RowCleaner
from tests.support.landed_rows import CLEANER, TOKENS, VISA

if TYPE_CHECKING:
    from contract.mapping.document import ColumnMapping

HEADER = "transaction_id,user_id,amount,timestamp,card_id,note\n"
CSV = HEADER + f"t1,u1,1.00,2026-01-05T12:30:00Z,{VISA},Köln\nt2,u2,2.00,2026-01-05T12:31:00Z,,x\n"
ROWS = [
    {"transaction_id": f"t{number}", "user_id": "u1", "amount": "1.00", "timestamp": "2026-01-05T12:30:00Z"}
    for number in (1, 2, 3)
]
NEEDED = "transaction_id: transaction_id\nuser_id: user_id\namount: amount\ntimestamp: timestamp\n"


def read(name: str, data: str | bytes, mapping: ColumnMapping | None = None) -> list[LandedRow]:
    """Read a file as Spark gives it: cut at its line breaks, with one behind the last part too."""
    content = data.encode() if isinstance(data, str) else data
    parts = [part + b"\n" for part in content.removesuffix(b"\n").split(b"\n")] if content else []
    form = UNSAID if mapping is None else mapping.form
    rows = CLEANER if mapping is None else RowCleaner(TOKENS, mapping)
    return list(landed_rows(name, parts, form, rows))


def mapped(lines: str) -> ColumnMapping:
    """A mapping of the usual names, and these lines."""
    return parse_mapping(NEEDED + lines, "acme.yaml")


def ids(found: list[LandedRow]) -> list[str]:
    """Ids of the published rows."""
    rows = [each.row for each in found]
    return [json.loads(row.record)["transaction_id"] for row in rows if isinstance(row, Published)]


def refused(found: list[LandedRow]) -> list[tuple[int, str]]:
    """Line and reason of the refused rows."""
    return [(each.line, each.row.reason) for each in found if isinstance(each.row, Refused)]


def zipped(**files: bytes) -> bytes:
    """An archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_", "."), data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"), (codecs.BOM_UTF8, "utf-8"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_a_file_with_a_mark_is_decoded_and_its_card_numbers_are_replaced(
    mark: bytes, encoding: str, line_break: str
) -> None:
    found = read("a.csv", mark + CSV.replace("\n", line_break).encode(encoding))

    assert (ids(found), refused(found), [each.line for each in found]) == (["t1", "t2"], [], [2, 3])
    assert VISA not in repr(found)
    assert isinstance(found[0].row, Published)
    assert b"tok_" in found[0].row.record


def test_utf_16_without_a_mark_needs_the_word_of_a_mapping() -> None:
    data = CSV.encode("utf-16-le")

    without, found = read("a.csv", data), read("a.csv", data, mapped("encoding: utf-16-le"))

    assert ids(without) == []
    assert "byte-order mark" in refused(without)[0][1]
    assert ids(found) == ["t1", "t2"]


def test_the_word_of_a_mapping_decodes_a_file_of_one_byte_a_letter() -> None:
    mapping = mapped("encoding: windows-1252\nmerchant_id: note")

    found = read("a.csv", CSV.encode("cp1252"), mapping)

    assert isinstance(found[0].row, Published)
    assert json.loads(found[0].row.record)["merchant_id"] == "Köln"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\n\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_payment_forged_inside_quotes_is_never_published(line_break: str, encoding: str) -> None:
    forged = f'"hello{line_break}t-forged,u-victim,9999.00,2026-01-05T12:31:00Z,x,y{line_break}bye"'
    text = HEADER + f"t1,u1,5.00,2026-01-05T12:30:00Z,{forged},d\nt2,u2,2.00,2026-01-05T12:31:00Z,x,y\n"

    found = read("a.csv", text.encode(encoding))

    assert "t-forged" not in ids(found)
    assert ids(found)[-1] == "t2"
    assert len(found) == 2


@pytest.mark.parametrize(
    "note",
    ['"say \\"hi\\"⏎F⏎bye"', '"hi\\"⏎F⏎bye"', '"a\\",b⏎F⏎bye"', '"\\"x⏎F⏎\\""', '"a\\"⏎F⏎\\"b\\""', '"5" pipe⏎F⏎bye"', '"x\\\\\\"⏎F⏎bye"'],
)  # fmt: skip
def test_a_sender_who_escapes_quotes_otherwise_cannot_forge_a_payment_either(note: str) -> None:
    forged = "t-forged,u-victim,9999.00,2026-01-05T12:31:00Z,x,y"
    written = note.replace("⏎", "\n").replace("F", forged)
    header = "transaction_id,user_id,amount,timestamp,note,card_id\n"

    found = read(
        "a.csv",
        header + f"t1,u1,5.00,2026-01-05T12:30:00Z,{written},d\nt2,u2,2.00,2026-01-05T12:31:00Z,x,y\n",
    )

    assert ids(found) == ["t2"]
    assert len(found) == 2


def test_a_value_that_ends_with_a_backslash_is_read() -> None:
    text = (
        HEADER + 't1,u1,5.00,2026-01-05T12:30:00Z,,"C:\\temp\\"\nt2,u2,2.00,2026-01-05T12:31:00Z,"a, b\\",y\n'
    )

    assert ids(read("a.csv", text)) == ["t1", "t2"]


def test_values_that_end_with_a_backslash_are_read_in_every_row_of_a_file() -> None:
    rows = "".join(f't{number},u1,5.00,2026-01-05T12:30:00Z,"C:\\{number}\\",y\n' for number in range(300))

    assert len(ids(read("a.csv", HEADER.replace("card_id,note", "merchant_id,note") + rows))) == 300


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_nothing_after_a_quote_that_is_never_closed_is_lost_or_published(name: str) -> None:
    text = HEADER + 't1,u1,1.00,2026-01-05T12:30:00Z,"x,y\nt2,u2,2.00,2026-01-05T12:31:00Z,x,y\n'

    found = read(name, text)

    assert ids(found) == []
    assert refused(found) == [(line, "after a quote in line 2 that is never closed") for line in (2, 3)]


@pytest.mark.parametrize(
    ("name", "pack"),
    [("A.CSV.GZ", gzip.compress), ("a.csv.Gz", gzip.compress), ("a.csv", gzip.compress), ("A.CSV.BZ2", bz2.compress),
     ("a.csv.zip", lambda data: zipped(payments_csv=data)), ("export.ZIP", lambda data: zipped(payments_CSV=data)),
     ("a.zip", lambda data: zipped(payments_csv=gzip.compress(data)))],
)  # fmt: skip
def test_a_packed_file_is_read_whatever_its_ending_is_like(name: str, pack: object) -> None:
    found = read(name, pack(CSV.encode()))  # type: ignore[operator]

    assert (ids(found), refused(found)) == (["t1", "t2"], [])


def test_an_archive_of_two_files_is_refused_with_a_sentence() -> None:
    found = read("a.zip", zipped(a_csv=CSV.encode(), b_csv=CSV.encode()))

    assert refused(found) == [(0, "a zip archive of 2 files; it needs exactly one. None was read")]


def test_a_damaged_file_is_read_up_to_the_damage_and_reported() -> None:
    data = gzip.compress(
        CSV.encode() + b"".join(b"t%d,u,1,2026-01-05T12:30:00Z,,\n" % n for n in range(3, 9000))
    )

    found = read("A.GZ.CSV.GZ", data[:-2000])

    assert len(ids(found)) > 100
    assert refused(found)[-1][1] == "the file is damaged; the rows up to the damage were read"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("sep=;\n" + CSV.replace(",", ";"), ""), (CSV.replace(",", "\t"), ""), (CSV.replace(",", "|"), ""),
        (CSV.replace(",", "~"), 'delimiter: "~"'), ("sep=^\r\n" + CSV.replace(",", "^"), ""), (CSV.replace(",", ", "), ""),
        ("sep=,\n" + CSV.replace(",", ";"), 'delimiter: ";"'),
    ],
)  # fmt: skip
def test_columns_are_separated_as_the_header_the_file_or_the_mapping_says(text: str, lines: str) -> None:
    found = read("a.csv", text, mapped(lines) if lines else None)

    assert (ids(found), refused(found)) == (["t1", "t2"], [])


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("transaction_id,user_id,amount,timestamp,amount", "two columns have the meaning of 'amount'"),
        ("transaction_id,user_id,amount,timestamp,Amount", "two columns have the meaning of 'Amount'"),
        ("transaction_id,user_id,userId,amount,timestamp", "two columns have the meaning of 'userId'"),
    ],
)
def test_columns_that_exist_twice_are_refused_by_name(header: str, reason: str) -> None:
    found = read("a.csv", header + "\nt1,u1,5.00,2026-01-05T12:30:00Z,9.00\n")

    assert ids(found) == []
    assert reason in refused(found)[0][1]


def test_a_mapping_that_does_not_use_them_reads_columns_that_exist_twice() -> None:
    text = "note,transaction_id,user_id,amount,timestamp,note\nx,t1,u1,5.00,2026-01-05T12:30:00Z,y\n"

    assert ids(read("a.csv", text, mapped("channel: {value: online}"))) == ["t1"]


@pytest.mark.parametrize("indent", [None, 1, 4])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "payments"])
def test_json_arrays_and_objects_over_several_lines_are_read(indent: int | None, name: str) -> None:
    array = read(name, json.dumps(ROWS, indent=indent))
    objects = read(name, "\n".join(json.dumps(row, indent=indent) for row in ROWS))

    assert (ids(array), refused(array)) == (["t1", "t2", "t3"], [])
    assert (ids(objects), refused(objects)) == (["t1", "t2", "t3"], [])


@pytest.mark.parametrize("amount", ["-9.00", "$-9.00", "(9.00)", "-$9.00", "9.00-"])
def test_a_refund_is_counted_and_neither_published_nor_refused(amount: str) -> None:
    found = read(
        "a.csv", HEADER + f"t1,u1,{amount},2026-01-05T12:30:00Z,,\nt2,u2,2.00,2026-01-05T12:31:00Z,,\n"
    )

    assert [type(each.row) for each in found] == [Refund, Published]


@pytest.mark.parametrize(("user", "at"), [("", "2026-01-05T12:30:00Z"), ("u1", "yesterday")])
def test_a_row_below_zero_that_is_no_payment_otherwise_is_refused(user: str, at: str) -> None:
    found = read("a.csv", HEADER + f"t1,{user},-9.00,{at},,\n")

    assert [type(each.row) for each in found] == [Refused]


@pytest.mark.parametrize("data", ["", "\n", "\ufeff", HEADER])
def test_a_file_without_rows_gives_none(data: str) -> None:
    assert read("part-00000.csv", data) == []


def test_a_mapping_without_columns_says_how_numbers_and_missing_values_are_written() -> None:
    form = parse_mapping('decimal: ","\nnulls: ["-"]\ntrusted: true', "acme.yaml")
    text = (
        "transaction_id;user_id;amount;timestamp;merchant\n"
        "t1;u1;1,234;2026-01-05T12:30:00Z;-\n"
        "t2;u1;4.711,98;2026-01-05T12:30:00Z;m\n"
        "t3;u1;1234.56;2026-01-05T12:30:00Z;m\n"
    )

    found = read("a.csv", text, form)

    records = [json.loads(each.row.record) for each in found if isinstance(each.row, Published)]
    assert [record["amount"] for record in records] == ["1.234", "4711.98"]
    assert "merchant_id" not in records[0]
    assert refused(found) == [(4, "not a number with ',' before its decimals")]


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "note", ["hello\r{forged}", "\r{forged}", "hello\r\r{forged}\r", '"hello"\r{forged}']
)
def test_a_return_in_a_value_of_a_file_whose_lines_end_in_line_feeds_makes_no_row_of_what_follows(
    line_break: str, note: str
) -> None:
    forged = "t-forged,u-victim,9999.00,2026-01-05T12:31:00Z,,x"
    rows = (
        "t1,u1,1.00,2026-01-05T12:30:00Z,," + note.format(forged=forged),
        "t2,u2,2.00,2026-01-05T12:31:00Z,,x",
    )

    found = read("a.csv", HEADER.replace("\n", line_break) + line_break.join(rows))

    assert ids(found) == ["t2"]
    assert [line for line, _ in refused(found)] == [2]


@pytest.mark.parametrize(
    ("amount", "currency", "reason"),
    [
        ("¥500", "", "its symbol is that of several currencies; the mapping has to say which"),
        ("500 kr", "", "its symbol is that of several currencies; the mapping has to say which"),
        ("¥500", "EUR", "its symbol is not that of the currency"),
        ("$5", "eur", "its symbol is not that of the currency"),
        ("500 kr.", "CZK", "its symbol is not that of the currency"),
        ("¥500", "cny", None),
        ("500 kr", "SEK", None),
        ("$5", "MXN", None),
        ("$5", "", None),
    ],
)
def test_a_symbol_of_several_currencies_is_that_of_the_currency_or_refused(
    amount: str, currency: str, reason: str | None
) -> None:
    text = (
        f"transaction_id,user_id,amount,currency,timestamp\nt1,u1,{amount},{currency},2026-01-05T12:30:00Z\n"
    )

    found = read("a.csv", text)

    assert refused(found) == ([] if reason is None else [(2, reason)])


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_header_in_the_middle_is_that_of_the_rows_behind_it(mark: str) -> None:
    text = (
        "transaction_id,user_id,amount,timestamp\nt1,u1,1.00,2026-01-05T12:30:00Z\n"
        f"{mark}user_id,transaction_id,amount,timestamp\nu2,t2,2.00,2026-01-05T12:30:00Z\n"
        "transaction_id,u1,amount,timestamp\n"
    )

    found = read("a.csv", text)

    assert (ids(found), [line for line, _ in refused(found)]) == (["t1", "t2"], [5])
