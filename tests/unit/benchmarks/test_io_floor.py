"""The I/O floor inserts what the score stage inserts: the same attributes, of about the same size."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import pytest

from benchmarks.row_size import EXPIRES_AT_S, approved_rows
from contract.scored import HISTORY_ATTRIBUTES, to_history_item

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture
def floor(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The handler, with the names of stores that no test asks."""
    for name, value in {
        "TRANSACTION_HISTORY_TABLE": "transaction_history",
        "ELASTICACHE_REDIS_ENDPOINT": "redis://127.0.0.1:1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    from benchmarks.yardsticks.io_floor import handler

    return handler


def test_a_row_of_the_floor_has_the_attributes_of_the_stages_and_about_their_size(floor: ModuleType) -> None:
    items = [to_history_item(row, EXPIRES_AT_S) for row in approved_rows(500, seed=1)]

    record = {"topic": "t", "partition": 0, "offset": 1, "timestamp": 2}
    inserted = floor.statement({"user_id": "u", "transaction_id": "t-1", "timestamp": "now"}, "{}", record)

    row = dict(zip(floor.NAMES, inserted["Parameters"], strict=True))
    assert tuple(row) == HISTORY_ATTRIBUTES
    assert {name: next(iter(value)) for name, value in row.items()} == {
        name: next(iter(value)) for name, value in items[0].items()
    }
    assert len(row["features"]["B"]) == pytest.approx(
        median(len(item["features"]["B"]) for item in items), rel=0.1
    )
    assert len(row["detail"]["S"]) == pytest.approx(
        median(len(item["detail"]["S"]) for item in items), rel=0.1
    )
