"""What a payment costs while profiles are missing: right after the cache was emptied, and while it is unavailable.

All users have a long past: 20 payments a day over 200 days, the last of them after the checkpoint of their profile. A batch has
100 payments of 100 users, so each payment of a first batch needs a rebuild of its own: the most that can be.
"""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.candidates import SCORE, kept_item, seed_cache
from benchmarks.harness import FunctionFailedError
from benchmarks.item_size import inserted_items
from benchmarks.rollout import RULESET
from benchmarks.tables import MODEL_USER, Contents, Item, user_on
from benchmarks.workload import PARTITIONS, TOPIC, fold, kafka_event, steady_user
from contract.clock import TimeBasis, times_on
from contract.history_detail import HistoryDetail
from contract.scored import Position, to_history_item
from contract.transaction import decode_transaction
from engine.decide import decide, scored_transaction
from engine.profile import Profile, from_bytes, to_bytes
from engine.profile.facts import PaymentFacts
from engine.rules.ruleset import parse_ruleset
from score.stage import CHECKPOINT_EVERY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.harness import Harness, MeasuredFunction
    from benchmarks.workload import Payment
    from contract.scored import ScoredTransaction

DAYS: Final = 200
A_DAY: Final = 20
USERS: Final = 100
"""In each batch."""
SETS_A_ROUND: Final = 3
"""How often a round begins anew with other users."""
LATER: Final = 4
"""Batches of the same users after the first."""

_PAST: Final = DAYS * A_DAY
_INTERVAL_MS: Final = 86_400_000 // A_DAY
_ROWS: Final = 3 * A_DAY
"""The newest rows of a user: more than a rebuild asks for."""
_FIRST_OFFSET: Final = 10 * _PAST
"""Above all offsets of their past."""


class Situation(StrEnum):
    """When a payment is scored."""

    NORMAL = "normal"
    EMPTIED = "emptied"
    """The first payment of its user after the cache was emptied."""
    AFTER_EMPTIED = "after_emptied"
    """A later one."""
    UNAVAILABLE_FIRST = "unavailable_first"
    """The first payment of its user while the cache is unavailable."""
    UNAVAILABLE = "unavailable"
    """A later one."""


_PHASES: Final = {
    Situation.NORMAL: (Situation.NORMAL, Situation.NORMAL),
    Situation.EMPTIED: (Situation.EMPTIED, Situation.AFTER_EMPTIED),
    Situation.UNAVAILABLE: (Situation.UNAVAILABLE_FIRST, Situation.UNAVAILABLE),
}
"""State of the cache, to the situations of each user's first payment and of later ones."""


class DegradedCosts(msgspec.Struct):
    """By situation and round."""

    cpu_us: dict[Situation, list[float]]
    """CPU of a payment, µs."""
    requests: dict[Situation, list[float]]
    """Requests to DynamoDB for a payment."""


class _Tally:
    """Sums of one round."""

    def __init__(self, harness: Harness, function: MeasuredFunction) -> None:
        self.cpu_s = dict.fromkeys(Situation, 0.0)
        self.requests = dict.fromkeys(Situation, 0)
        self.payments = dict.fromkeys(Situation, 0)
        self._harness = harness
        self._function = function

    def measure(self, situation: Situation, event: bytes, earlier: int) -> None:
        """Invoke the function with one batch; FunctionFailedError unless each profile held so many ``earlier`` payments."""
        self._harness.counts()
        self._harness.captured()
        self.cpu_s[situation] += self._function.measure([event], USERS).cpu_s
        counts = self._harness.counts().requests
        self.requests[situation] += sum(
            count for name, count in counts.items() if name.startswith("dynamodb.")
        )
        self.payments[situation] += USERS
        held = [version for body in self._harness.captured() for version in _profile_versions(body)]
        if held != [earlier] * USERS:
            raise FunctionFailedError(
                f"{situation}: profiles held {sorted(set(held))} payments, not {earlier}"
            )


def _profile_versions(body: str) -> Iterator[int]:
    for item in inserted_items(body):
        yield msgspec.json.decode(item["detail"]["S"], type=HistoryDetail).profile_version


def measure(harness: Harness, rounds: int) -> DegradedCosts:
    """Measure all situations in each round, one after the other, in one process.

    Parameters
    ----------
    harness : Harness
        Running. Its cache is emptied.
    rounds : int
        How often each is measured.
    """
    past = _Past()
    function = harness.start(SCORE)
    function.try_invoke(b"{}")
    number = _run_set(harness, past, _Tally(harness, function), 0)  # warms up
    costs = DegradedCosts({each: [] for each in Situation}, {each: [] for each in Situation})
    for _ in range(rounds):
        tally = _Tally(harness, function)
        for _ in range(SETS_A_ROUND):
            number = _run_set(harness, past, tally, number)
        for each in Situation:
            costs.cpu_us[each].append(tally.cpu_s[each] * 1e6 / tally.payments[each])
            costs.requests[each].append(tally.requests[each] / tally.payments[each])
    function.stop()
    harness.load_tables(Contents())
    harness.cache.flushall()
    return costs


def _run_set(harness: Harness, past: _Past, tally: _Tally, number: int) -> int:
    """Measure each situation with users of its own; return the number of the next set."""
    for situation in _PHASES:
        users = _Users(past, number)
        number += 1
        harness.cache.flushall()
        harness.load_tables(Contents(users.checkpoints(), past.rows))
        if situation is Situation.NORMAL:
            users.seed(harness)
        harness.set_cache(is_up=situation is not Situation.UNAVAILABLE)
        first, later = _PHASES[situation]
        for turn, event in enumerate(users.events()):
            tally.measure(later if turn else first, event, _PAST + turn)
    harness.set_cache(is_up=True)
    return number


class _Past:
    """What every user has done, on each partition: profiles, kept ones, rows, and the payments to come."""

    def __init__(self) -> None:
        ends_at_ms = round(time.time() * 1000)
        stream = steady_user(MODEL_USER, 0, _PAST + 1 + LATER, _INTERVAL_MS, ends_at_ms)
        self.to_come = stream[_PAST:]
        self.ruleset = parse_ruleset(RULESET.read_text(), str(RULESET))
        profile = Profile()
        for payment in stream[: _PAST - _ROWS]:
            fold(profile, payment)
        rows: list[ScoredTransaction] = []
        kept: list[bytes] = []
        for payment in stream[_PAST - _ROWS : _PAST]:
            kept.append(to_bytes(profile))
            rows.append(self._row(payment, profile))
            fold(profile, payment)
        self._profile = to_bytes(profile)
        # Kept up to 19 payments ago; a user's place says how many.
        self._kept = [self._profile, *reversed(kept)][:CHECKPOINT_EVERY]
        self.rows = {partition: _items(rows, partition) for partition in range(PARTITIONS)}

    def profiles(self, place: int) -> tuple[Profile, Profile]:
        """The profile of the user at a place in the batch, and the one that was kept of it."""
        kept, profile = from_bytes(self._kept[place % CHECKPOINT_EVERY]), from_bytes(self._profile)
        for each in (kept, profile):
            offset = each.offsets[0]
            del each.partitions[:], each.offsets[:]
            each.mark_complete_to(TOPIC, place % PARTITIONS, offset)
        profile.kept_count, profile.kept_at_ms = kept.tx_count, kept.newest_at_ms
        return profile, kept

    def _row(self, payment: Payment, profile: Profile) -> ScoredTransaction:
        transaction = decode_transaction(payment.value)
        facts = PaymentFacts.of(transaction, times_on(TimeBasis.TRUSTED, transaction.timestamp, 0))
        decided = decide(facts, from_bytes(to_bytes(profile)), self.ruleset)
        at = transaction.timestamp
        return scored_transaction(
            facts,
            decided,
            self.ruleset,
            Position(TOPIC, 0, payment.offset),
            at,
            at,
            profile_version=profile.tx_count,
        )


class _Users:
    """100 users who have not paid in this benchmark before."""

    def __init__(self, past: _Past, number: int) -> None:
        self._past = past
        self._number = number
        self._names = [user_on(place % PARTITIONS, f"past-{number}-{place}") for place in range(USERS)]

    def seed(self, harness: Harness) -> None:
        """Put their profiles into the cache."""
        profiles = {name: self._past.profiles(place)[0] for place, name in enumerate(self._names)}
        seed_cache(
            harness, profiles, {partition: self._begin(partition) - 1 for partition in range(PARTITIONS)}
        )

    def checkpoints(self) -> list[Item]:
        """The items of their checkpoints."""
        return [kept_item(name, self._past.profiles(place)[1]) for place, name in enumerate(self._names)]

    def events(self) -> list[bytes]:
        """A batch for each payment to come: one payment of every user."""
        return [kafka_event(self._batch(turn)) for turn in range(1 + LATER)]

    def _batch(self, turn: int) -> list[Payment]:
        payment = self._past.to_come[turn]
        batch = []
        for place, name in enumerate(self._names):
            partition = place % PARTITIONS
            on_partition = len(range(partition, USERS, PARTITIONS))
            batch.append(
                msgspec.structs.replace(
                    payment,
                    user_id=name,
                    value=payment.value.replace(f'"{MODEL_USER}"'.encode(), f'"{name}"'.encode()),
                    partition=partition,
                    offset=self._begin(partition) + turn * on_partition + place // PARTITIONS,
                )
            )
        return batch

    def _begin(self, partition: int) -> int:
        on_partition = len(range(partition, USERS, PARTITIONS))
        return _FIRST_OFFSET + self._number * (1 + LATER) * on_partition


def _items(rows: list[ScoredTransaction], partition: int) -> list[tuple[str, str]]:
    """The rows as on a partition, the newest first."""
    return [
        (
            row.event_key,
            msgspec.json.encode(
                to_history_item(
                    msgspec.structs.replace(row, position=Position(TOPIC, partition, row.position.offset)),
                    2**32,
                )
            ).decode(),
        )
        for row in reversed(rows)
    ]
