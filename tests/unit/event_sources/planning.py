"""Drives a planner: offers records, takes batches and discards, and settles them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.event_sources.planner import Planner
from local.event_sources.records import Batch, DeliveryResult, Discard, QueueKey
from local.runtime.invocation import FunctionError
from tests.unit.event_sources.factories import NOW_S, QUEUE, policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.event_sources.records import SourceRecord

ERROR = FunctionError("ValueError", "bad")
FAILED = DeliveryResult(error=ERROR)
OTHER = QueueKey("topic-1")


def make_planner(
    queues: tuple[QueueKey, ...] = (QUEUE,), group: str = "poller-0", **changes: object
) -> Planner:
    """A planner that knows these queues."""
    planner = Planner(policy(**changes))
    for queue in queues:
        planner.add_queue(queue, group)
    return planner


def offer(planner: Planner, offered: list[SourceRecord], now_s: float = NOW_S) -> None:
    """Offer records, queue by queue."""
    by_queue: dict[QueueKey, list[SourceRecord]] = {}
    for each in offered:
        by_queue.setdefault(each.queue, []).append(each)
    for queue, of_queue in by_queue.items():
        planner.offer(queue.origin, {queue: of_queue}, of_queue[-1].identifier, now_s)


def batch(planner: Planner, now_s: float = NOW_S) -> Batch:
    """Return its next work, which must be a batch."""
    work = planner.next(now_s)
    assert isinstance(work, Batch)
    return work


def discard(planner: Planner, now_s: float = NOW_S) -> Discard:
    """Return its next work, which must be a discard."""
    work = planner.next(now_s)
    assert isinstance(work, Discard)
    return work


def positions(work: Batch | Discard) -> list[int]:
    """Return the positions of the records in it."""
    found = work.records if isinstance(work, Batch) else work.piece.records
    return [each.position for each in found]


def deliver_all(
    planner: Planner, answer: Callable[[Batch], DeliveryResult], now_s: float = NOW_S
) -> tuple[list[list[int]], list[tuple[str, list[int]]]]:
    """Work until nothing is left; the clock jumps to the next due time. Returns the positions of each batch and each discard."""
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
