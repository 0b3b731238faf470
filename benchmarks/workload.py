"""The payments that all candidates are measured with, and the profiles of the users who make them.

They come from a seeded simulation of 90 days. Its first part becomes profiles, so that users have a past, as in a system that has
run for months. The rest is for measuring, in batches in the form in which Lambda delivers them.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import msgspec

from contract.clock import TRUSTED_FEED_HEADER, TRUSTED_FEED_VALUE, TimeBasis, times_on
from contract.entity_ids import entity_ids
from contract.scored import Decision, Position
from contract.transaction import decode_transaction
from engine.entities.book import EntityBook
from engine.entities.sightings import sighting_of
from engine.features.windows import MICRO_AMOUNT_BASE
from engine.profile import Profile
from engine.profile.facts import PaymentFacts
from engine.profile.outcome import Outcome
from score.stage import CHECKPOINT_EVERY
from simulator import SimulationConfig, simulate
from simulator.records import timestamp_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contract.transaction import Transaction
    from engine.entities.state import Sighting

TOPIC: Final = "transaction_stream"
PARTITIONS: Final = 6
USERS: Final = 400
PAST_PER_USER: Final = 100
"""Payments folded into a user's profile before the first measurement; a mean over the users."""


class Payment(msgspec.Struct, frozen=True):
    """One record of the topic."""

    user_id: str
    value: bytes
    partition: int
    offset: int
    event_at_ms: int


class Workload(msgspec.Struct):
    """Profiles, and the payments to measure with."""

    profiles: dict[str, Profile]
    folded_to: list[int]
    """Last offset that the profiles hold, by partition."""
    payments: list[Payment]
    entities: dict[bytes, bytes] = {}
    """State of all entities, populations among them, with the payments that the profiles hold; by id."""
    taken: int = 0

    def take(self, count: int) -> list[Payment]:
        """Take the next payments; IndexError if fewer are left."""
        left = len(self.payments) - self.taken
        if count > left:
            raise IndexError(f"{count} requested, {left} of {len(self.payments)} payments left")
        chosen = self.payments[self.taken : self.taken + count]
        self.taken += count
        return chosen


def make_workload(
    measured: int, seed: int = 7, *, users: int = USERS, past_per_user: int = PAST_PER_USER
) -> Workload:
    """Simulate, and fold the first part into profiles.

    Parameters
    ----------
    measured : int
        Number of payments for measuring.
    seed : int
        The same seed has the same users.
    users, past_per_user : int
        Number of users, and how often each has paid before, on average.
    """
    now = datetime.now(UTC)
    past = users * past_per_user
    config = SimulationConfig(seed=seed, users=users, transactions=past + measured, ends_at=now)
    workload = Workload({}, [-1] * PARTITIONS, [])
    offsets = [0] * PARTITIONS
    entities = EntityBook()
    for number, each in enumerate(simulate(config)):
        payment = _payment(msgspec.json.encode(each.record), str(each.record["user_id"]), offsets)
        if number >= past:
            workload.payments.append(payment)
            continue
        profile = workload.profiles.setdefault(payment.user_id, Profile())
        fold(profile, payment)
        see(entities, payment)
        workload.folded_to[payment.partition] = payment.offset
    workload.entities = entities.packed()
    for number, profile in enumerate(workload.profiles.values()):
        profile.mark_kept()
        profile.kept_count = max(profile.tx_count - number % CHECKPOINT_EVERY, 1)
    return workload


def fold(profile: Profile, payment: Payment, topic: str = TOPIC) -> None:
    """Fold one payment as the score stage would."""
    transaction = decode_transaction(payment.value)
    facts = PaymentFacts.of(transaction, times_on(TimeBasis.TRUSTED, transaction.timestamp, 0))
    profile.fold(facts, Outcome(Decision.APPROVE), Position(topic, payment.partition, payment.offset))


def see(entities: EntityBook, payment: Payment) -> None:
    """Count one payment at its entities."""
    transaction = decode_transaction(payment.value)
    entities.fold(entity_ids(transaction), usual_sighting(transaction, payment.event_at_ms))


def usual_sighting(transaction: Transaction, clock_ms: int) -> Sighting:
    """A payment as its entities count it, if its account is old and its counterparties are the usual ones; amounts count as US dollars."""
    amount = float(transaction.amount)
    features = {"is_micro_amount": amount <= MICRO_AMOUNT_BASE, "amount_base": amount}
    return sighting_of(transaction.user_id, clock_ms, features)


def _payment(value: bytes, user_id: str, offsets: list[int]) -> Payment:
    partition = crc32(user_id.encode()) % len(offsets)
    offset = offsets[partition]
    offsets[partition] += 1
    at = decode_transaction(value).timestamp
    return Payment(user_id, value, partition, offset, round(at.timestamp() * 1000))


def kafka_event(payments: Sequence[Payment]) -> bytes:
    """Write a batch in the form in which Lambda's event source mapping delivers it, as JSON.

    Parameters
    ----------
    payments : Sequence[Payment]
        In the order of the topic. Each was appended just now: the stage counts the tries of a record that is old and alone in its batch,
        with two calls more, which no usual batch of one needs. Its feed is trusted, so the clock is the event time, and the user's payments
        are as far apart as they were made.
    """
    appended_at_ms = round(datetime.now(UTC).timestamp() * 1000)
    trusted = [{TRUSTED_FEED_HEADER: list(TRUSTED_FEED_VALUE)}]
    records: dict[str, list[dict[str, Any]]] = {}
    for payment in payments:
        records.setdefault(f"{TOPIC}-{payment.partition}", []).append(
            {
                "topic": TOPIC,
                "partition": payment.partition,
                "offset": payment.offset,
                "timestamp": appended_at_ms,
                "timestampType": "LOG_APPEND_TIME",
                "key": b64encode(payment.user_id.encode()).decode(),
                "value": b64encode(payment.value).decode(),
                "headers": trusted,
            }
        )
    event = {
        "eventSource": "aws:kafka",
        "eventSourceArn": "arn:aws:kafka:us-east-1:000000000000:cluster/bench/00000000",
        "bootstrapServers": "b-1.bench:9098",
        "records": records,
    }
    return msgspec.json.encode(event)


def batches(payments: Sequence[Payment], size: int) -> Iterator[Sequence[Payment]]:
    """Cut payments into batches of ``size``; the last may be smaller."""
    for start in range(0, len(payments), size):
        yield payments[start : start + size]


def steady_user(user_id: str, partition: int, count: int, interval_ms: int, ends_at_ms: int) -> list[Payment]:
    """Payments of one user with steady habits, ``interval_ms`` apart, the last one at ``ends_at_ms``.

    Parameters
    ----------
    user_id : str
        The user.
    partition : int
        Of the topic; their offsets there are 0 to ``count`` - 1.
    count : int
        Number of payments.
    """
    template = {
        "user_id": user_id,
        "currency": "EUR",
        "location": {"latitude": 52.52, "longitude": 13.4, "country": "DE", "city": "Berlin"},
        "merchant_category": "grocery",
        "channel": "pos",
        "card_id": f"card-{user_id}",
    }
    payments = []
    for number in range(count):
        at_ms = ends_at_ms - (count - 1 - number) * interval_ms
        record = {
            **template,
            "transaction_id": f"tx-{user_id}-{number:07d}",
            "amount": f"{10 + number * 37 % 90}.{number * 13 % 100:02d}",
            "timestamp": timestamp_text(at_ms * 1000),
            "merchant_id": f"shop-{number * 7 % 12}",
        }
        payments.append(Payment(user_id, msgspec.json.encode(record), partition, number, at_ms))
    return payments
