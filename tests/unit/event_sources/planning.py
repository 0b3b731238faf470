"""A planner at work: what it is offered, what it hands out, and how that ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.event_sources.planner import Planner
from local.event_sources.records import Batch, Discard, LaneKey, Outcome
from local.runtime.invocation import FunctionError
from tests.unit.event_sources.factories import LANE, NOW_S, policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.event_sources.records import SourceRecord

ERROR = FunctionError("ValueError", "bad")
FAILED = Outcome(error=ERROR)
OTHER = LaneKey("topic-1")


def make_planner(lanes: tuple[LaneKey, ...] = (LANE,), group: str = "poller-0", **changes: object) -> Planner:
    """A planner that knows these lanes."""
    planner = Planner(policy(**changes))
    for lane in lanes:
        planner.add_lane(lane, group)
    return planner


def offer(planner: Planner, offered: list[SourceRecord], now_s: float = NOW_S) -> None:
    """Let it read records, lane by lane."""
    by_lane: dict[LaneKey, list[SourceRecord]] = {}
    for each in offered:
        by_lane.setdefault(each.lane, []).append(each)
    for lane, of_lane in by_lane.items():
        planner.offer(lane.origin, {lane: of_lane}, of_lane[-1].identifier, now_s)


def batch(planner: Planner, now_s: float = NOW_S) -> Batch:
    """Its next work, which must be a batch."""
    work = planner.next(now_s)
    assert isinstance(work, Batch)
    return work


def discard(planner: Planner, now_s: float = NOW_S) -> Discard:
    """Its next work, which must be a discard."""
    work = planner.next(now_s)
    assert isinstance(work, Discard)
    return work


def positions(work: Batch | Discard) -> list[int]:
    """Of the records in it."""
    found = work.records if isinstance(work, Batch) else work.piece.records
    return [each.position for each in found]


def deliver_all(
    planner: Planner, answer: Callable[[Batch], Outcome], now_s: float = NOW_S
) -> tuple[list[list[int]], list[tuple[str, list[int]]]]:
    """Work until nothing is left, the clock jumping to whatever is due: positions of each batch, and of each discard."""
    batches: list[list[int]] = []
    discards: list[tuple[str, list[int]]] = []
    for _ in range(10_000):
        work = planner.next(now_s)
        if isinstance(work, Batch):
            batches.append(positions(work))
            planner.settle(work, answer(work), now_s)
        elif isinstance(work, Discard):
            discards.append((work.condition, positions(work)))
            planner.finish_discard(work)
        elif planner.unfinished():
            due_s = planner.next_due_s()
            assert due_s is not None
            now_s = max(now_s, due_s)
        else:
            return batches, discards
    raise AssertionError("no end")
