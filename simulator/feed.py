"""A live feed: payments that happen now, dropped about one file a second.

The people of the simulation get their history first, in files of its own; then they go on paying, amid a crowd of
passers-by who are there for the rate. Otherwise 300 people would have to pay every few seconds each.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from heapq import merge
from typing import TYPE_CHECKING, Final

import msgspec

from simulator.landing import LandingConfig, LandingFile, landing_files
from simulator.records import LabelledTransaction, SimulationConfig, timestamp_text, to_us
from simulator.senders import SENDERS
from simulator.simulation import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHUNK: Final = 50_000
"""So many transactions are simulated ahead at a time, about 100 MB."""

_KNOWN_SHARE: Final = 0.1
"""Share of the live payments that the people with a history make."""

_CROWD_PER_TPS: Final = 1_200
"""Passers-by for each payment a second, so that each of them pays about three times an hour."""

_LIVE_SENDERS: Final = tuple(sender for sender in SENDERS if sender.name != "northbank")
"""Senders of full card numbers: files take turns, and a card has to be the same card in each."""


class FeedSummary(msgspec.Struct, frozen=True):
    """What a feed has dropped."""

    files: int = 0
    transactions: int = 0
    """History and live, without the bad rows."""
    bad_rows: int = 0
    fraud: int = 0

    def __add__(self, other: FeedSummary) -> FeedSummary:
        return FeedSummary(*(a + b for a, b in zip(self._figures, other._figures, strict=True)))

    @property
    def _figures(self) -> tuple[int, int, int, int]:
        return (self.files, self.transactions, self.bad_rows, self.fraud)


def feed(
    put_object: Callable[[str, bytes], None],
    config: SimulationConfig,
    tps: float,
    seconds: int,
    clock: Callable[[], datetime],
    wait: Callable[[float], None],
    on_label: Callable[[LabelledTransaction], None] | None = None,
) -> FeedSummary:
    """Drop files for a while.

    Parameters
    ----------
    put_object : Callable[[str, bytes], None]
        Drops one file: its name and content. What it raises ends the feed.
    config : SimulationConfig
        The people and their history. The history ends at the last midnight (UTC), whatever ``ends_at`` says, so that a
        second feed of a day drops the same history, with the same ids; ``transactions=0`` leaves it out.
    tps : float
        Live transactions a second, above 0.
    seconds : int
        How long, >= 1.
    clock : Callable[[], datetime]
        The time, aware.
    wait : Callable[[float], None]
        Waits so many seconds.
    on_label : Callable[[LabelledTransaction], None], optional
        Is told of every transaction with its truth, before its file is dropped.

    Returns
    -------
    FeedSummary
        ``round(tps * seconds)`` live transactions and the history, all of them dropped.
    """
    begins_at = clock()
    summary = _history(put_object, config, begins_at, on_label)
    starts_at = clock()
    live = _live(config, tps, seconds, starts_at)
    held = next(live, None)
    run = f"live-{starts_at:%Y%m%dT%H%M%S%f}-s{config.seed:x}"
    for tick in range(1, seconds + 1):
        due_at = starts_at + timedelta(seconds=tick)
        ahead_s = (due_at - clock()).total_seconds()
        if ahead_s > 0:
            wait(ahead_s)
        due, due_text = [], timestamp_text(to_us(due_at))
        while held is not None and str(held.record["timestamp"]) <= due_text:
            due.append(held)
            held = next(live, None)
        sender = _LIVE_SENDERS[tick % len(_LIVE_SENDERS)]
        landing = LandingConfig(
            run=f"{run}-t{tick:05d}", rows_per_file=max(1, 2 * len(due)), seed=config.seed, senders=(sender,)
        )
        summary += _drop(put_object, landing_files(iter(due), landing), due, on_label)
    return summary


def _history(
    put_object: Callable[[str, bytes], None],
    config: SimulationConfig,
    begins_at: datetime,
    on_label: Callable[[LabelledTransaction], None] | None,
) -> FeedSummary:
    if not config.transactions:
        return FeedSummary()
    midnight = begins_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    past = list(simulate(msgspec.structs.replace(config, ends_at=midnight)))
    run = f"history-{midnight:%Y%m%d}-s{config.seed:x}"
    landing = LandingConfig(run=run, rows_per_file=2_000, seed=config.seed)
    return _drop(put_object, landing_files(iter(past), landing), past, on_label)


def _drop(
    put_object: Callable[[str, bytes], None],
    files: Iterator[LandingFile],
    transactions: list[LabelledTransaction],
    on_label: Callable[[LabelledTransaction], None] | None,
) -> FeedSummary:
    if on_label is not None:
        for transaction in transactions:
            on_label(transaction)
    summary = FeedSummary(fraud=sum(transaction.scenario is not None for transaction in transactions))
    for file in files:
        put_object(file.name, file.data)
        summary += FeedSummary(1, file.transactions, len(file.bad_rows))
    return summary


def _live(
    config: SimulationConfig, tps: float, seconds: int, starts_at: datetime
) -> Iterator[LabelledTransaction]:
    """Simulate the live payments, a chunk at a time, in the order of event time."""
    length_s = max(1, min(seconds, int(_CHUNK / tps)))
    done = 0
    for begin_s in range(0, seconds, length_s):
        end_s = min(seconds, begin_s + length_s)
        count = round(tps * end_s) - done
        done += count
        fraud = round(count * config.fraud_rate)
        known = min(count, max(2 * fraud, round(count * _KNOWN_SHARE)))
        chunk = msgspec.structs.replace(
            config,
            transactions=known,
            fraud_rate=fraud / known if known else 0.0,
            ends_at=starts_at + timedelta(seconds=end_s),
            span=timedelta(seconds=end_s - begin_s),
            settled=True,
            episode=f"{to_us(starts_at)}+{begin_s}",
        )
        crowd = msgspec.structs.replace(
            chunk,
            transactions=count - known,
            fraud_rate=0.0,
            users=max(2_000, int(tps * _CROWD_PER_TPS)),
            first_user=config.first_user + config.users,
        )
        yield from merge(simulate(chunk), simulate(crowd), key=lambda each: str(each.record["timestamp"]))
