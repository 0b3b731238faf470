"""Rows of ``rollout_counts`` that cannot be read are left out, counted and logged, and the guardrails judge by all others."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from common.metrics import emit
from common.unreadable_rows import UnreadableRows
from contract.rollout_rows import (
    HOUR_RETENTION,
    PART_RETENTION,
    counts_item,
    hour_key,
    late_key,
    part_key,
)
from engine.rollout.counts import RolloutCounts
from engine.rollout.stored import counts_to_bytes
from engine.rollout.windows import hour_of
from engine.rules.check import check_ruleset
from guardrails.metrics import Metric
from rollouts.tables import CountsTable
from tests.support.payments import Log
from tests.support.tables import make_table
from tests.unit.guardrails.world import BAD, NOW, ROLLOUT, World

if TYPE_CHECKING:
    from collections.abc import Callable

TABLE: Final = "rollout_counts"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
COUNTED: Final = {"counts": {"B": counts_to_bytes(BAD)}}

UNREADABLE: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "a part that is damaged": (part_key(NOW - MINUTE, "1f"), {"counts": {"B": b"damaged"}}),
    "a part of another format": (part_key(NOW - MINUTE, "1f"), {"counts": {"B": counts_to_bytes(BAD)[:-9]}}),
    "a part without counts": (part_key(NOW - MINUTE, "1f"), {}),
    "a part with counts of another type": (part_key(NOW - MINUTE, "1f"), {"counts": {"S": "3"}}),
    "a part of no time": ("p#2026-13-01T09:30:00.000000Z#1f", COUNTED),
    "an hour that is damaged": (hour_key(NOW - 200 * 24 * HOUR), {"counts": {"B": b"damaged"}}),
    "an hour of no time": ("h#2026-12-01T99", COUNTED),
    "an hour that was summed at no time": (hour_key(NOW - 30 * HOUR), COUNTED | {"summed_at": {"S": "soon"}}),
    "an hour that was summed at a number": (hour_key(NOW - 30 * HOUR), COUNTED | {"summed_at": {"N": "1"}}),
}


class _Tables:
    """The counts on moto, and the changes in memory."""

    def __init__(self, world: World, counts: CountsTable) -> None:
        self.read = counts.read
        self.put, self.put_ended, self.put_active = world.put, world.put_ended, world.put_active
        self.made, self.lately = world.made, world.lately


def _put(client: Any, digest: str, key: str, attributes: dict[str, Any]) -> None:
    client.put_item(TableName=TABLE, Item={"digest": {"S": digest}, "count_key": {"S": key}} | attributes)


def _count(client: Any, digest: str, at: datetime, counts: RolloutCounts, process: str = "0f") -> None:
    item = counts_item(digest, part_key(at, process), counts_to_bytes(counts), at + PART_RETENTION)
    client.put_item(TableName=TABLE, Item=item)


@pytest.mark.parametrize("row", UNREADABLE)
def test_a_bad_candidate_is_withdrawn_beside_a_row_that_cannot_be_read(
    aws: Callable[[str], Any], row: str
) -> None:
    world, client, log = World(), aws("dynamodb"), Log()
    make_table(client, TABLE)
    digest, (key, attributes) = world.deployed(ROLLOUT, BAD), UNREADABLE[row]
    _count(client, digest, NOW - 2 * MINUTE, BAD)
    _put(client, digest, key, attributes)
    counts = CountsTable(client, TABLE, UnreadableRows(log, partial(emit, world, Metric.ROWS_UNREADABLE)))

    world.process(tables=_Tables(world, counts)).run()

    assert check_ruleset(world.appconfig.active, "after").candidate is None
    assert world.emitted[Metric.ROWS_UNREADABLE] == 1
    assert [line["row"] for line in log.lines] == [f"{digest} {key}"]


def test_what_was_counted_in_all_other_rows_is_added_up(aws: Callable[[str], Any]) -> None:
    client, log, digest = aws("dynamodb"), Log(), "0123456789ab"
    make_table(client, TABLE)
    table = CountsTable(client, TABLE, UnreadableRows(log))
    for hours, payments in ((30, 1), (5, 2), (4, 16), (3, 4)):
        _count(client, digest, NOW - hours * HOUR, RolloutCounts({3: payments}))
    table.read(digest, NOW)
    older, newest = hour_of(NOW - 5 * HOUR), hour_of(NOW - 3 * HOUR)
    for hour in (older, newest):
        _put(client, digest, hour_key(hour), {"counts": {"B": b"damaged"}})
    _put(client, digest, part_key(NOW - MINUTE, "1f"), {"counts": {"B": b"damaged"}})
    _count(client, digest, NOW - MINUTE, RolloutCounts({3: 8}))

    first, second = table.read(digest, NOW), table.read(digest, NOW)

    for counted in (first, second):
        assert {hour: counts.payments for hour, counts in counted.hours.items()} == {
            hour_of(NOW - 30 * HOUR): {3: 1},
            hour_of(NOW - 4 * HOUR): {3: 16},
            newest: {3: 4},
        }, "of the newest hour its parts are read again"
        assert [part.counts.payments for part in counted.parts if part.at > NOW - HOUR] == [{3: 8}]
    again = [hour_key(older), part_key(NOW - MINUTE, "1f")]
    assert [line["row"] for line in log.lines] == [
        f"{digest} {key}" for key in [again[0], hour_key(newest), again[1], *again]
    ]
    assert log.lines[0]["error"] == "InvalidCountsError"


def test_an_hour_of_which_a_part_came_late_is_added_up_without_a_part_that_cannot_be_read(
    aws: Callable[[str], Any],
) -> None:
    client, log, digest, at = aws("dynamodb"), Log(), "0123456789ab", NOW - 5 * HOUR
    make_table(client, TABLE)
    hour = counts_item(
        digest, hour_key(at), counts_to_bytes(RolloutCounts({3: 1})), at + HOUR_RETENTION, NOW - 4 * HOUR
    )
    client.put_item(TableName=TABLE, Item=hour)
    _count(client, digest, at, RolloutCounts({3: 1}))
    _count(client, digest, at, RolloutCounts({3: 2}), "late")
    _put(client, digest, part_key(at, "1f"), {"counts": {"B": b"damaged"}})
    _put(client, digest, late_key(at, NOW, "late"), {})
    _put(client, digest, "l#2026-12-01T09#soon#1f", {})

    counted = CountsTable(client, TABLE, UnreadableRows(log)).read(digest, NOW)

    assert [counts.payments for counts in counted.hours.values()] == [{3: 3}]
    assert {line["row"] for line in log.lines} == {
        f"{digest} {key}" for key in (part_key(at, "1f"), "l#2026-12-01T09#soon#1f")
    }
