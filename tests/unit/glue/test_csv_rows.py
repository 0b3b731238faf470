"""Rows of CSV files: each is read by the header of its own file."""

from __future__ import annotations

import pytest

from contract.errors import InvalidTransactionError
from glue_scripts import rows
from glue_scripts.rows import Header, Published, Refused
from tests.support.landed_rows import CLEANER, TOKENS, VISA, published, refused

NO_HEADER = Refused("$", "the reason of the first line", "a title")


@pytest.mark.parametrize("separator", ["", " ", "-"])
def test_a_card_number_in_a_csv_header_is_reported_as_its_token(separator: str) -> None:
    number = separator.join(("4111", "1111", "1111", "1111"))
    header = Header(f"transaction_id,user_id,amount,timestamp,{number}".encode())

    outcome = CLEANER.clean_csv(b"t-1,u-1,5,2026-01-05 12:30:00,x", header)

    assert isinstance(outcome, Published)
    assert outcome.dropped == (TOKENS.token(VISA),)


def test_a_csv_row_is_read_by_its_own_header() -> None:
    header = Header(b'\xef\xbb\xbfAmount;"User ID";txn_id;ts;note')

    outcome = CLEANER.clean_csv('"1,234.50";"u;1";t-1;2026-01-05 12:30:00;é'.encode(), header)

    assert published(outcome) == {
        "transaction_id": "t-1",
        "user_id": "u;1",
        "amount": "1234.50",
        "timestamp": "2026-01-05T12:30:00Z",
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"t-1,u-1,5", "3 values for 4 columns"),
        (b'"t-1,u-1,5,2026-01-05 12:30:00', "not CSV"),
        (b"\xff,u-1,5,2026-01-05 12:30:00", "not UTF-8"),
    ],
)
def test_a_broken_csv_row_is_refused_alone(line: bytes, reason: str) -> None:
    header = Header(b"transaction_id,user_id,amount,timestamp")

    outcome = refused(CLEANER.clean_csv(line, header))

    assert outcome.field == "$"
    assert outcome.reason.startswith(reason)


def test_a_first_line_without_a_known_name_is_no_header() -> None:
    with pytest.raises(InvalidTransactionError, match="no column name in it is known"):
        Header(b"t-1,u-1,5,2026-01-05 12:30:00")


def test_a_first_line_that_is_no_header_is_refused_as_a_row() -> None:
    outcome = CLEANER.read_header(f"payments of card {VISA}".encode())

    assert outcome == Refused(
        "$",
        "first line of a CSV file, and no column name in it is known",
        f"payments of card {TOKENS.token(VISA)}",
    )


@pytest.mark.parametrize("line", ["t-1,u-1,5,card", "card,user_id,amount,timestamp", '"t-1', "x"])
def test_a_line_after_a_refused_header_keeps_its_reason(line: str) -> None:
    outcome = CLEANER.read_header(line.encode(), NO_HEADER)

    assert outcome == Refused("$", "the reason of the first line", line)


def test_a_complete_header_may_follow_a_title() -> None:
    header = CLEANER.read_header(b"Amount;Customer;note;ts;txn_id", NO_HEADER)

    assert isinstance(header, Header)
    assert header.names == ["Amount", "Customer", "note", "ts", "txn_id"]


def test_a_later_line_that_is_no_complete_header_says_so_itself() -> None:
    with pytest.raises(InvalidTransactionError, match="no complete header"):
        Header(b"user_id,amount,timestamp", is_first=False)


def test_a_header_that_our_own_code_fails_on_is_reported_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise KeyError

    monkeypatch.setattr(rows, "read_header", fail)

    assert CLEANER.read_header(b"x,y", NO_HEADER) == Refused("$", "internal: KeyError", "x,y")
