"""Rows of landed files of labels: a message of the labels queue, or the reason why not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract.canary import RESERVED
from contract.label_message import decode_label_message, identified
from contract.mapping.document import parse_mapping
from contract.mapping.form import UNSAID
from contract.mapping.kinds import LABELS
from glue_scripts.label_rows import LabelCleaner
from glue_scripts.landed_rows import landed_rows
from glue_scripts.rows import CleanedRow, NoLabel, Published, Refused
from tests.support.landed_rows import NOW, TOKENS, VISA

MAPPING = parse_mapping(
    """
transaction_id: TXN
verdict: {column: CODE, values: {"10.4": fraud, "4837": fraud, "13.1": none}}
source: {value: chargeback}
fraud_type: {column: CODE, values: {"10.4": card_not_present, "4837": card_not_present, "13.1": ""}}
known_at: {column: DATE, format: "%Y%m%d"}
label_id: CASE
""",
    "cb.yaml",
    LABELS,
)
CLEANER = LabelCleaner(TOKENS)
MAPPED = LabelCleaner(TOKENS, MAPPING)
HEADER = "CASE;CARD;TXN;CODE;DATE\n"


def label(**changes: object) -> dict[str, object]:
    """A good row; a change to ``...`` leaves the field out."""
    valid = {
        "transaction_id": "t-1",
        "verdict": "fraud",
        "source": "customer",
        "known_at": "2026-11-26T08:00:00Z",
    }
    return {name: value for name, value in (valid | changes).items() if value is not ...}


def clean(**changes: object) -> CleanedRow:
    return CLEANER.clean_json(json.dumps(label(**changes)).encode())


def sent(row: CleanedRow) -> dict[str, Any]:
    assert isinstance(row, Published), row
    message: dict[str, Any] = json.loads(row.record)
    return message


def refused(row: CleanedRow) -> Refused:
    assert isinstance(row, Refused), row
    return row


def file_of(*lines: str) -> list[tuple[int, CleanedRow]]:
    content = (HEADER + "".join(f"{line}\n" for line in lines)).encode()
    return [(place.line, place.row) for place in landed_rows("cb.csv", [content], UNSAID, MAPPED)]


def test_a_row_becomes_a_message_that_the_label_stage_reads() -> None:
    row = clean(fraud_type="Account takeover", user_id="u-1", confidence=0.9, note="hm")

    assert sent(row) == {
        "transaction_id": "t-1",
        "verdict": "fraud",
        "source": "customer",
        "known_at": "2026-11-26T08:00:00Z",
        "fraud_type": "account_takeover",
        "user_id": "u-1",
        "confidence": 0.9,
    }
    assert isinstance(row, Published)
    assert row.dropped == ("note",)


def test_a_row_that_is_read_twice_is_one_label_whenever_it_is_sent() -> None:
    first, again = (decode_label_message(json.dumps(sent(clean())).encode()) for _ in range(2))

    assert identified(first, NOW) == identified(again, NOW.replace(year=2027))


def test_a_file_of_chargebacks_is_mapped_and_its_card_numbers_go_nowhere() -> None:
    rows = file_of(f"cb-1;{VISA};t-1;10.4;20261126", f"cb-2;{VISA};t-2;4837;20261125")

    assert [(line, sent(row)) for line, row in rows] == [
        (
            line,
            {
                "transaction_id": f"t-{number}",
                "verdict": "fraud",
                "source": "chargeback",
                "fraud_type": "card_not_present",
                "known_at": f"2026-11-{day}T00:00:00Z",
                "label_id": f"cb-{number}",
            },
        )
        for line, number, day in ((2, 1, 26), (3, 2, 25))
    ]


def test_a_row_that_says_nothing_of_fraud_is_no_label_and_no_mistake() -> None:
    assert file_of(f"cb-3;{VISA};t-3;13.1;20261126") == [(2, NoLabel())]


def test_a_code_that_the_mapping_does_not_know_is_refused_without_the_card_number() -> None:
    ((line, row),) = file_of(f"cb-4;{VISA};t-4;12.5;20261126")

    assert line == 2
    assert refused(row).field == "verdict"
    assert refused(row).reason.startswith("not one of fraud, legitimate, withdrawn")
    assert refused(row).raw == f"cb-4;{TOKENS.token(VISA)};t-4;12.5;20261126"


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"transaction_id": ...}, "transaction_id", "missing"),
        ({"verdict": ...}, "verdict", "missing"),
        ({"source": ...}, "source", "missing"),
        ({"known_at": ...}, "known_at", "missing"),
        ({"verdict": "yes"}, "verdict", "not one of fraud"),
        ({"source": "police"}, "source", "not one of analyst"),
        ({"fraud_type": "phishing"}, "fraud_type", "not one of card_not_present"),
        ({"known_at": "2026-11-26"}, "known_at", ""),
        ({"timestamp": "yesterday"}, "timestamp", ""),
        ({"confidence": 7}, "confidence", "not a number from 0 to 1"),
        ({"transaction_id": "\u0000"}, "transaction_id", ""),
        ({"label_id": "a case"}, "label_id", ""),
        ({"verdict": "withdrawn"}, "withdraws", "missing"),
        ({"verdict": "legitimate", "fraud_type": "mule"}, "fraud_type", "only of the verdict fraud"),
        ({"user_id": "canary-7"}, "user_id", RESERVED),
        ({"user_id": "x" * 129}, "user_id", ""),
    ],
)
def test_what_is_no_label_is_refused_by_its_field(
    changes: dict[str, object], field: str, reason: str
) -> None:
    row = refused(clean(**changes))

    assert row.field == field
    assert row.reason.startswith(reason)
    assert not row.reason.startswith("internal")


@pytest.mark.parametrize(
    "line",
    [b"not json", b"[1]", b'{"a": 1} {"b": 2}', b"\xff", b'{"verdict": "fraud", "verdict": "legitimate"}'],
)
def test_a_line_that_is_no_object_is_refused_as_a_whole(line: bytes) -> None:
    assert refused(CLEANER.clean_json(line)).field == "$"


def test_ids_keep_their_value_even_if_they_look_like_a_card_number() -> None:
    message = sent(clean(transaction_id=VISA, user_id="5555555555554444"))

    assert (message["transaction_id"], message["user_id"]) == (VISA, "5555555555554444")


def test_a_header_that_lacks_a_mapped_column_is_refused_and_names_it() -> None:
    rows = list(landed_rows("cb.csv", [b"CASE;TXN;CODE\n", b"cb-1;t-1;10.4\n"], UNSAID, MAPPED))

    reason = "not a CSV header that fits cb.yaml: no column 'DATE', mapped to known_at"
    assert [(refused(place.row).reason, place.line) for place in rows] == [(reason, 1), (reason, 2)]


def test_a_file_of_payments_is_no_file_of_labels() -> None:
    content = b"transaction_id,user_id,amount,timestamp\nt-1,u-1,5.00,2026-11-26T08:00:00Z\n"

    rows = list(landed_rows("a.csv", [content], UNSAID, CLEANER))

    assert [(refused(place.row).field, refused(place.row).reason) for place in rows] == [
        ("verdict", "missing")
    ]
