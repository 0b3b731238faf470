"""Rows of landed files, and the cleaner that the tests of the Glue job give them to."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from contract.card_tokens import CardTokens
from glue_scripts.rows import CleanedRow, Published, Refused, RowCleaner

NOW = datetime(2026, 1, 6, tzinfo=UTC)


TOKENS = CardTokens(b"a key for these tests")


CLEANER = RowCleaner(TOKENS)


VISA = "4111111111111111"


def row(**changes: object) -> dict[str, object]:
    """A good row; a change to ``...`` leaves the field out."""
    valid = {
        "transaction_id": "t-1",
        "user_id": "u-1",
        "amount": "12.50",
        "timestamp": "2026-01-05T12:30:00Z",
    }
    return {name: value for name, value in (valid | changes).items() if value is not ...}


def clean(**changes: object) -> CleanedRow:
    return CLEANER.clean_json(json.dumps(row(**changes)).encode())


def published(outcome: CleanedRow) -> dict[str, Any]:
    """The record of a row that must be good."""
    assert isinstance(outcome, Published), outcome
    record: dict[str, Any] = json.loads(outcome.record)
    return record


def refused(outcome: CleanedRow) -> Refused:
    assert isinstance(outcome, Refused), outcome
    return outcome
