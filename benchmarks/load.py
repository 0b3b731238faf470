"""Payments at a steady rate, produced directly to the topic as any Kafka client would.

Every user has a profile already, as in a system that has run for months. 50,000 users take turns: at 200 payments a second,
each pays every 250 s, so no velocity rule of the default ruleset matches within five minutes. 2% of the payments are suspicious, each of another
user until 5,000 have had their turn (250,000 payments), so each causes one alert and none is suppressed.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from itertools import count, islice
from typing import TYPE_CHECKING, Any, Final

import msgspec
from confluent_kafka import Producer

from benchmarks.workload import PARTITIONS, TOPIC, fold, steady_user
from cache.primary import connect
from engine.profile import Profile
from score.profile_store import PartitionProgress, ProfileWrite, RedisProfileStore
from simulator.records import timestamp_text

if TYPE_CHECKING:
    from collections.abc import Iterator

USUAL_USERS: Final = 50_000
RISKY_USERS: Final = 5_000
SUSPICIOUS_SHARE: Final = 0.02
PAST_PAYMENTS: Final = 30
DAY_MS: Final = 86_400_000
_TICK_S: Final = 0.005
_FLUSH_SECONDS: Final = 30
_WRITES_AT_ONCE: Final = 1_000
_BUCKETS_DAYS: Final = 90


class LoadError(Exception):
    """The load could not be produced, or worked off, as requested."""


def usual_user(number: int) -> str:
    """Id of a user whose payments are usual."""
    return f"usual-{number % USUAL_USERS:06d}"


def risky_user(number: int) -> str:
    """Id of a user whose next payment is suspicious."""
    return f"risky-{number % RISKY_USERS:06d}"


def seed_profiles(cache_endpoint: str) -> None:
    """Store for every user the profile of one payment a day for 30 days; LoadError if the cache holds one of them already."""
    now = datetime.now(UTC)
    yesterday_ms = round(now.timestamp() * 1000) - DAY_MS
    profile = Profile()
    for payment in steady_user("model", 0, PAST_PAYMENTS, DAY_MS, yesterday_ms):
        fold(profile, payment, topic="past")
    store = RedisProfileStore(connect(cache_endpoint), _BUCKETS_DAYS)
    store.write([], [PartitionProgress(TOPIC, partition, -1, -1) for partition in range(PARTITIONS)])
    users = [*map(usual_user, range(USUAL_USERS)), *map(risky_user, range(RISKY_USERS))]
    for start in range(0, len(users), _WRITES_AT_ONCE):
        writes = [ProfileWrite(user, profile, b"") for user in users[start : start + _WRITES_AT_ONCE]]
        if store.write(writes, []):
            raise LoadError("the cache holds profiles of these users already")


def payments(run: str, first: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Make payments without end: user id, and the record without its timestamp.

    Parameters
    ----------
    run : str
        Part of the transaction ids, so that they differ from another run's.
    first : int
        Number of the first payment; the users' turns continue from there.
    """
    every = round(1 / SUSPICIOUS_SHARE)
    for number in count(first):
        suspicious = number % every == every - 1
        user = risky_user(number // every) if suspicious else usual_user(number)
        yield (
            user,
            {
                "transaction_id": f"tx-{run}-{number:08d}",
                "user_id": user,
                "amount": "24000.00" if suspicious else f"{10 + number * 37 % 90}.{number * 13 % 100:02d}",
                "currency": "EUR",
                "location": {"latitude": 52.52, "longitude": 13.4, "country": "DE", "city": "Berlin"},
                "merchant_id": f"shop-{number * 7 % 12}",
                "merchant_category": "grocery",
                "channel": "pos",
                "card_id": f"card-{user}",
            },
        )


class Load:
    """Produces at a steady rate for some seconds, in its own thread.

    Parameters
    ----------
    bootstrap_servers : str
        Of Kafka.
    tps : float
        Payments a second, above 0.
    seconds : float
        How long.
    source : Iterator
        Of :func:`payments`; this load takes as many as it needs.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        tps: float,
        seconds: float,
        source: Iterator[tuple[str, dict[str, Any]]],
    ) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                "linger.ms": 2,
                "acks": "all",
                "log_level": 0,  # it runs longer than the stack, and would log the stack's end as errors
                "partitioner": "murmur2_random",
            }
        )
        self._tps = tps
        self._total = round(tps * seconds)
        self._source = islice(source, self._total)
        self._errors: list[str] = []
        self.sent = 0
        self.seconds = 0.0
        """How long producing took, without the final flush."""
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def start(self) -> None:
        """Start to produce."""
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """True until everything is produced."""
        return self._thread.is_alive()

    def finish(self) -> None:
        """Wait for the end; LoadError if Kafka did not take a record, or less than 98% of the rate was produced."""
        self._thread.join()
        if self._errors:
            raise LoadError(f"Kafka did not take every record: {self._errors[0]}")
        if self.sent != self._total:
            raise LoadError(f"{self.sent} of {self._total} payments were produced")
        if self.sent / self.seconds < 0.98 * self._tps:
            raise LoadError(
                f"{self.sent / self.seconds:.0f} payments a second were produced, not {self._tps:g}"
            )

    def _run(self) -> None:
        began = time.monotonic()
        while self.sent < self._total:
            due = min(self._total, round((time.monotonic() - began) * self._tps))
            for user, record in islice(self._source, due - self.sent):
                record["timestamp"] = timestamp_text(time.time_ns() // 1000)
                self._producer.produce(
                    TOPIC, msgspec.json.encode(record), key=user, on_delivery=self._delivered
                )
                self.sent += 1
            self._producer.poll(0)
            time.sleep(_TICK_S)
        self.seconds = time.monotonic() - began
        if left := self._producer.flush(_FLUSH_SECONDS):
            self._errors.append(f"{left} not acknowledged after {_FLUSH_SECONDS} s")

    def _delivered(self, error: object, _message: object) -> None:
        if error is not None:
            self._errors.append(str(error))
