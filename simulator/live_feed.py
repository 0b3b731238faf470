"""A live feed: payments that happen now, dropped about one file a second.

The people of the simulation get a history first, dropped in files of its own. Then they pay live, among a crowd of
passers-by. The crowd makes up the rate: without it, each of 300 people would have to pay every few seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from heapq import merge
from typing import TYPE_CHECKING, Final

import msgspec

from simulator.landing import BACKFILL_FOLDER, LandingConfig, LandingFile, landing_files
from simulator.records import timestamp_text, to_us
from simulator.senders import SENDERS
from simulator.simulation import SimulationConfig, simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract.truth import SentPayment

_CHUNK: Final = 50_000
"""Transactions simulated ahead at a time; they take about 100 MB."""

_KNOWN_SHARE: Final = 0.1
"""Share of the live payments made by the people who have a history."""

_CROWD_PER_TPS: Final = 1_200
"""Passers-by per payment a second; each of them then pays about three times an hour."""

_LIVE_SENDERS: Final = tuple(sender for sender in SENDERS if sender.name != "northbank")
"""Only senders that write full card numbers: senders take turns, and a card must be the same card in every file."""


class FeedSummary(msgspec.Struct, frozen=True):
    """Counts of what a feed has dropped."""

    files: int = 0
    transactions: int = 0
    """History and live payments, without the bad rows."""
    bad_rows: int = 0
    fraud: int = 0

    def __add__(self, other: FeedSummary) -> FeedSummary:
        return FeedSummary(*(a + b for a, b in zip(self._figures, other._figures, strict=True)))

    @property
    def _figures(self) -> tuple[int, int, int, int]:
        return (self.files, self.transactions, self.bad_rows, self.fraud)


def run_live_feed(
    put_object: Callable[[str, bytes], None],
    config: SimulationConfig,
    tps: float,
    seconds: int,
    clock: Callable[[], datetime],
    wait: Callable[[float], None],
    on_payment: Callable[[SentPayment], None] | None = None,
) -> FeedSummary:
    """Drop files for a while.

    Parameters
    ----------
    put_object : Callable[[str, bytes], None]
        Drops one file: its name and content. An error it raises ends the feed.
    config : SimulationConfig
        The people and the size of their history. The history ends at the last midnight (UTC); ``ends_at`` is not used.
        So a second feed on the same day drops the same history, with the same ids. ``transactions=0``: no history.
    tps : float
        Live transactions a second, above 0.
    seconds : int
        For how long, >= 1.
    clock : Callable[[], datetime]
        The time, aware.
    wait : Callable[[float], None]
        Waits this many seconds.
    on_payment : Callable[[SentPayment], None], optional
        Called with every payment and its truth, before its file is dropped.

    Returns
    -------
    FeedSummary
        Of the history and ``round(tps * seconds)`` live transactions.
    """
    begins_at = clock()
    summary = _history(put_object, config, begins_at, on_payment)
    starts_at = clock()
    live = _live(config, tps, seconds, starts_at)
    upcoming = next(live, None)
    run = f"live-{starts_at:%Y%m%dT%H%M%S%f}-s{config.seed:x}"
    for tick in range(1, seconds + 1):
        due_at = starts_at + timedelta(seconds=tick)
        ahead_s = (due_at - clock()).total_seconds()
        if ahead_s > 0:
            wait(ahead_s)
        due, due_text = [], timestamp_text(to_us(due_at))
        while upcoming is not None and str(upcoming.record["timestamp"]) <= due_text:
            due.append(upcoming)
            upcoming = next(live, None)
        sender = _LIVE_SENDERS[tick % len(_LIVE_SENDERS)]
        landing = LandingConfig(
            run=f"{run}-t{tick:05d}", rows_per_file=max(1, 2 * len(due)), seed=config.seed, senders=(sender,)
        )
        summary += _drop(put_object, landing_files(iter(due), landing), due, on_payment)
    return summary


def _history(
    put_object: Callable[[str, bytes], None],
    config: SimulationConfig,
    begins_at: datetime,
    on_payment: Callable[[SentPayment], None] | None,
) -> FeedSummary:
    if not config.transactions:
        return FeedSummary()
    midnight = begins_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    past = list(simulate(msgspec.structs.replace(config, ends_at=midnight)))
    run = f"history-{midnight:%Y%m%d}-s{config.seed:x}"
    landing = LandingConfig(run=run, rows_per_file=2_000, seed=config.seed)

    def put_backfill(name: str, data: bytes) -> None:
        put_object(f"{BACKFILL_FOLDER}/{name}", data)

    return _drop(put_backfill, landing_files(iter(past), landing), past, on_payment)


def _drop(
    put_object: Callable[[str, bytes], None],
    files: Iterator[LandingFile],
    payments: list[SentPayment],
    on_payment: Callable[[SentPayment], None] | None,
) -> FeedSummary:
    if on_payment is not None:
        for payment in payments:
            on_payment(payment)
    summary = FeedSummary(fraud=sum(payment.truth.is_fraud for payment in payments))
    for file in files:
        put_object(file.name, file.data)
        summary += FeedSummary(1, file.transactions, len(file.bad_rows))
    return summary


def _live(config: SimulationConfig, tps: float, seconds: int, starts_at: datetime) -> Iterator[SentPayment]:
    """Simulate the live payments, one chunk at a time, in the order of event time."""
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
