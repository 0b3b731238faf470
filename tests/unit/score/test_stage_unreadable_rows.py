"""History rows that nobody can read: the rebuild goes on without them, and says which they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from contract.errors import LaterFormatError
from contract.history_detail import ROW_FORMAT
from engine.profile import from_bytes
from tests.support.kafka_events import event_of
from tests.support.stage_world import NoTelemetry
from tests.unit.score.stage_system import System, failures, payments

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.rules.ruleset import Ruleset
    from score.history_store import UnreadableRow

Item = dict[str, Any]


@dataclass
class Reports(NoTelemetry):
    """Keeps the rows that are reported."""

    rows: list[UnreadableRow] = field(default_factory=list)

    def rows_unreadable(self, rows: Sequence[UnreadableRow]) -> None:
        self.rows += rows


def with_detail(**changes: object) -> Callable[[Item], Item]:
    """Change the JSON of a row."""

    def change(item: Item) -> Item:
        detail = msgspec.json.decode(item["detail"]["S"]) | changes
        return item | {"detail": {"S": msgspec.json.encode(detail).decode()}}

    return change


def with_payment(**changes: object) -> Callable[[Item], Item]:
    """Change the payment in the JSON of a row."""

    def change(item: Item) -> Item:
        payment = msgspec.json.decode(item["detail"]["S"])["t"]
        return with_detail(t=payment | changes)(item)

    return change


DAMAGES: dict[str, Callable[[Item], Item]] = {
    "no JSON": lambda item: item | {"detail": {"S": "{"}},
    "no detail": lambda item: {name: value for name, value in item.items() if name != "detail"},
    "a detail of another type": lambda item: item | {"detail": {"B": b"{}"}},
    "no position": lambda item: {name: value for name, value in item.items() if name != "position"},
    "a position that is none": lambda item: item | {"position": {"S": "somewhere"}},
    "a decision that is none": lambda item: item | {"decision": {"S": "perhaps"}},
    "a currency that is none": with_payment(c="XQQ"),
    "an amount that is none": with_payment(a="NaN"),
    "an amount below 0": with_payment(a="-1"),
    "an amount beyond all": with_payment(a="1e300"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("is_down", [False, True], ids=["the cache was emptied", "the cache is unavailable"])
def test_damaged_row_is_left_out_and_named_and_the_other_rows_are_folded(
    ruleset: Ruleset, damage: Callable[[Item], Item], is_down: bool
) -> None:
    system = System(ruleset)
    first, *rest, last = payments(6)
    system.handle(event_of(first, *rest))
    [key, *_] = sorted(key for key in system.history.rows if key[1].endswith("#t-2"))
    system.history.rows[key] = damage(system.history.rows[key])
    system.profiles.values.clear()
    system.profiles.is_down = is_down
    reports: Any = Reports()
    system.telemetry = reports

    response = system.handle(event_of(last, first_offset=5))

    assert failures(response) == []
    body = system.checkpoints.values["user-1"][1] if is_down else system.profiles.body("user-1")
    assert from_bytes(body).tx_count == 5  # of six
    assert [row.event_key for row in reports.rows] == [key[1]]
    assert "user-1" not in str(reports.rows)


def test_damaged_row_of_one_user_does_not_stop_another(ruleset: Ruleset) -> None:
    system = System(ruleset)
    own, others = payments(2), payments(2, user_id="user-2")
    system.handle(event_of(own[0], others[0]))
    for key in [key for key in system.history.rows if key[0] == "user-1"]:
        system.history.rows[key] = DAMAGES["no JSON"](system.history.rows[key])
    system.profiles.values.clear()

    response = system.handle(event_of(own[1], others[1], first_offset=2))

    assert failures(response) == []
    assert (system.profile("user-1").tx_count, system.profile("user-2").tx_count) == (1, 2)


def test_row_of_a_later_format_stops_the_batch_because_a_later_version_can_read_it(ruleset: Ruleset) -> None:
    """Else a function that was pointed back would keep profiles without the payments since."""
    system = System(ruleset)
    first, last = payments(2)
    system.handle(event_of(first))
    [key] = system.history.rows
    system.history.rows[key] = with_detail(v=ROW_FORMAT + 1)(system.history.rows[key])
    system.profiles.values.clear()

    with pytest.raises(LaterFormatError, match="format 4"):
        system.handle(event_of(last, first_offset=1))
