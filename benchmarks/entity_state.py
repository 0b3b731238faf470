"""Compare ways to keep what is known of entities: ``python -m benchmarks.entity_state``. The figures of decision 0024.

On a Valkey of its own it measures, for each way, the memory of a card, a device and a busy merchant, the memory of many cards with
all that the server keeps beside them, the server's CPU a payment, and whether a batch that is written twice counts twice. Then it
fills a small server beyond its memory, and counts what was evicted.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec
import redis
from rich.console import Console
from rich.table import Table

from benchmarks.entity_options import MONTH_S, OPTIONS, OneString, Seen, Sketches
from benchmarks.stats import middle
from benchmarks.workload import usual_sighting
from cache.primary import ENTITY_PREFIX
from contract.entity_ids import EntityKind, entity_ids
from contract.transaction import decode_transaction
from engine.entities.kinds import KIND_NAMES, user_hash
from engine.entities.state import Sighting
from local.components.cache import Cache
from ops.manifests import ROOT
from score.entity_store import RETENTION_S
from simulator import SimulationConfig, simulate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from benchmarks.entity_options import Option

NOW_S: Final = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
BATCH: Final = 100
USERS: Final = 400
PAST: Final = 8_000
"""Payments before those whose CPU is measured."""
MEASURED: Final = 2_000
"""Payments whose CPU is measured: first that of the server's process, then with as many others that of the commands."""
MANY_CARDS: Final = 4_000
CARD_PAYMENTS: Final = 15
"""A month."""
DEVICE_PAYMENTS: Final = 20
DEVICE_USERS: Final = 2
MERCHANT_PAYMENTS: Final = 30_000
MERCHANT_USERS: Final = 10_000
CARDS: Final = 100_000_000
MERCHANTS: Final = 1_000_000
"""What memory is extrapolated for."""


class Result(msgspec.Struct, kw_only=True):
    """What one way costs."""

    name: str
    card_bytes: int
    """MEMORY USAGE of all keys of a card of one user and 15 payments a month."""
    device_bytes: int
    merchant_bytes: int
    many_card_bytes: float
    """The server's memory for each of many such cards: tables of keys and times to live included."""
    command_us: float
    """Time of the commands (INFO commandstats) a payment with six entities, read and write; the median of the batches, since other
    work on the machine adds to it."""
    read_us: float
    """The reading's part of it."""
    process_us: float
    """CPU of the server's process for the same, the parsing of commands included."""
    round_trips: int
    """A batch."""
    is_idempotent: bool
    """A batch that is written a second time changes nothing."""
    counts_all: bool

    @property
    def cards_gib(self) -> float:
        """Memory of 100 million cards, GiB."""
        return self.many_card_bytes * CARDS / 2**30

    @property
    def merchants_gib(self) -> float:
        """Memory of a million merchants, each as busy as this one, GiB."""
        return self.merchant_bytes * MERCHANTS / 2**30


def measure(option: type[Option], cache: redis.Redis, payments: Sequence[Seen]) -> Result:
    """Measure one way on an empty cache."""
    card, device, merchant = (
        _memory(option, cache, kind, count, users)
        for kind, count, users in (
            (EntityKind.CARD, CARD_PAYMENTS, 1),
            (EntityKind.DEVICE, DEVICE_PAYMENTS, DEVICE_USERS),
            (EntityKind.MERCHANT, MERCHANT_PAYMENTS, MERCHANT_USERS),
        )
    )
    many = _memory_of_many(option, cache)
    command_us, read_us, process_us, round_trips = _cpu(option, cache, payments)
    return Result(
        name=option.name,
        card_bytes=card,
        device_bytes=device,
        merchant_bytes=merchant,
        many_card_bytes=many,
        command_us=command_us,
        read_us=read_us,
        process_us=process_us,
        round_trips=round_trips,
        is_idempotent=_is_idempotent(option, cache, payments),
        counts_all=option.counts_all,
    )


def payments_of_users() -> list[Seen]:
    """Simulated payments. Each has six entities: in place of those that it does not name, one of its user's own."""
    ends_at = datetime.fromtimestamp(NOW_S, UTC)
    config = SimulationConfig(seed=7, users=USERS, transactions=PAST + 2 * MEASURED, ends_at=ends_at)
    seen = []
    for offset, each in enumerate(simulate(config)):
        payment = decode_transaction(msgspec.json.encode(each.record))
        sighting = usual_sighting(payment, int(payment.timestamp.timestamp()) * 1000)
        own = sighting.user[:8]
        ids = [
            entity_id or b"cdinmp"[kind : kind + 1] + own
            for kind, entity_id in enumerate(entity_ids(payment))
        ]
        seen.append(Seen(tuple(ids), sighting, offset))
    return seen


def entities_of_users() -> dict[str, float]:
    """Entities that a simulated user of 15 payments a month touches within their retention, by kind; shared ones are counted once."""
    ends_at = datetime.fromtimestamp(NOW_S, UTC)
    config = SimulationConfig(seed=7, users=USERS, transactions=USERS * CARD_PAYMENTS * 3, ends_at=ends_at)
    found: set[tuple[int, bytes]] = set()
    for each in simulate(config):
        payment = decode_transaction(msgspec.json.encode(each.record))
        if NOW_S - payment.timestamp.timestamp() < RETENTION_S:
            ids = enumerate(entity_ids(payment))
            found.update((kind, entity_id) for kind, entity_id in ids if entity_id is not None)
    return {name: sum(kind == place for place, _ in found) / USERS for kind, name in enumerate(KIND_NAMES)}


def _of_one(kind: EntityKind, entity_id: bytes, count: int, users: int) -> list[Seen]:
    """A month of payments at one entity, evenly spread."""
    ids = tuple(entity_id if each == kind else None for each in EntityKind)
    return [
        Seen(
            ids,
            Sighting(
                NOW_S - MONTH_S + MONTH_S * (number + 1) // count,
                user_hash(f"{number * 7 % users}"),
                False,
                False,
                0,
                1234,
            ),
            number,
        )
        for number in range(count)
    ]


def _made(option: type[Option], cache: redis.Redis) -> Option:
    cache.flushall()
    made = option(cache)  # type: ignore[call-arg]  # a protocol says nothing of how its types are made
    if isinstance(made, Sketches):
        made.now_s = NOW_S
    return made


def _memory(option: type[Option], cache: redis.Redis, kind: EntityKind, count: int, users: int) -> int:
    made, entity_id = _made(option, cache), b"cdinmp"[kind : kind + 1] + bytes(range(8))
    for batch in _batches(_of_one(kind, entity_id, count, users), BATCH):
        made.write(batch)
    return sum(
        cache.memory_usage(key, samples=0) or 0 for key in cache.scan_iter(count=1000) if entity_id in key
    )


def _memory_of_many(option: type[Option], cache: redis.Redis) -> float:
    made = _made(option, cache)
    model = _of_one(EntityKind.CARD, b"", CARD_PAYMENTS, 1)
    ids = [(b"c" + number.to_bytes(8, "big"), *[None] * 5) for number in range(MANY_CARDS)]
    made.write([model[0]._replace(ids=(b"c-warming", *[None] * 5))])  # scripts and buffers are there by now
    before = cache.info("memory")["used_memory"]
    for place, seen in enumerate(model):
        offset = 1 + place * MANY_CARDS
        for batch in _batches([Seen(each, seen.sighting, offset + n) for n, each in enumerate(ids)], BATCH):
            made.write(batch)
    used_bytes: int = cache.info("memory")["used_memory"] - before
    return used_bytes / MANY_CARDS


def _cpu(
    option: type[Option], cache: redis.Redis, payments: Sequence[Seen]
) -> tuple[float, float, float, int]:
    made = _made(option, cache)
    if isinstance(made, Sketches):
        made.now_s = 0
    for batch in _batches(payments[:PAST], BATCH):
        made.write(batch)
    to_process, to_commands = payments[PAST : PAST + MEASURED], payments[PAST + MEASURED :]
    round_trips = 0
    before_s = _process_cpu_s(cache)
    for batch in _batches(to_process, BATCH):
        round_trips = made.read(batch) + made.write(batch)
    process_us = (_process_cpu_s(cache) - before_s) * 1e6
    reads_us, writes_us = [], []
    for batch in _batches(to_commands, BATCH):
        cache.config_resetstat()
        made.read(batch)
        reads_us.append(_command_us(cache))
        cache.config_resetstat()
        made.write(batch)
        writes_us.append(_command_us(cache))
    read_us = middle(reads_us) / BATCH
    return read_us + middle(writes_us) / BATCH, read_us, process_us / MEASURED, round_trips


def _command_us(cache: redis.Redis) -> float:
    """CPU of the commands since the last reset; a script's time includes that of the commands it calls."""
    stats = {name: float(each["usec"]) for name, each in cache.info("commandstats").items()}
    if "cmdstat_evalsha" in stats:
        return stats["cmdstat_evalsha"]
    own = ("cmdstat_config|resetstat", "cmdstat_info")
    return sum(usec for name, usec in stats.items() if name not in own)


def _process_cpu_s(cache: redis.Redis) -> float:
    used = cache.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


def _is_idempotent(option: type[Option], cache: redis.Redis, payments: Sequence[Seen]) -> bool:
    made = _made(option, cache)
    batch = payments[:BATCH]
    made.write(batch)
    before = _contents(cache)
    made.write(batch)
    return _contents(cache) == before


def _contents(cache: redis.Redis) -> dict[bytes, bytes]:
    return {key: cache.dump(key) or b"" for key in cache.scan_iter(count=1000)}


def _batches(seen: Sequence[Seen], size: int) -> Iterator[Sequence[Seen]]:
    for start in range(0, len(seen), size):
        yield seen[start : start + size]


class Eviction(msgspec.Struct):
    """What a server that is filled with cards beyond its memory evicts, while the same merchants are paid all the time."""

    cards: int
    cards_left: int
    first_half_left: int
    """Of the cards that were written first."""
    merchants: int
    merchants_left: int
    is_mark_left: bool


def eviction(cache: redis.Redis, cards: int = 30_000, merchants: int = 20) -> Eviction:
    """Fill a server of 4 MiB more than it uses empty, under ElastiCache's policy of this system, half of it seconds after the other."""
    made = _made(OneString, cache)
    cache.config_set("maxmemory-policy", "volatile-lru")
    cache.config_set("maxmemory", cache.info("memory")["used_memory"] + 4 * 2**20)
    ids = [
        (b"c%08d" % number, None, None, None, b"m%08d" % (number % merchants), None)
        for number in range(cards)
    ]
    seen = [
        Seen(each, Sighting(NOW_S, user_hash(f"{n}"), False, False, 0, 1), n) for n, each in enumerate(ids)
    ]
    for half in (seen[: cards // 2], seen[cards // 2 :]):
        for batch in _batches(half, BATCH):
            made.write(batch)
        time.sleep(_LRU_CLOCK_S)
    cache.config_set("maxmemory", 0)
    left = set(cache.scan_iter(count=1000))
    of_cards = [ENTITY_PREFIX + card in left for card, *_ in ids]
    return Eviction(
        cards=cards,
        cards_left=sum(of_cards),
        first_half_left=sum(of_cards[: cards // 2]),
        merchants=merchants,
        merchants_left=sum(ENTITY_PREFIX + b"m%08d" % number in left for number in range(merchants)),
        is_mark_left=b"entities:{1}:bench/0" in left,
    )


_LRU_CLOCK_S: Final = 2
"""The server knows the time of a key's last use to the second."""


def run(folder: Path) -> tuple[list[Result], Eviction]:
    """Measure every way, one after the other."""
    payments = payments_of_users()
    with Cache(folder, folder / "logs") as server, redis.Redis.from_url(server.endpoint) as cache:
        cache.config_set("maxmemory", 0)
        results = [measure(option, cache, payments) for option in OPTIONS]
    # Another server: this one's buffers of large commands would be freed meanwhile.
    with Cache(folder, folder / "logs") as server, redis.Redis.from_url(server.endpoint) as cache:
        return results, eviction(cache)


def show(results: Sequence[Result], evicted: Eviction, console: Console) -> None:
    """Print both."""
    table = Table(title=f"Six entities of {USERS} simulated users; batches of {BATCH}", title_justify="left")
    for column in ("", *(each.name for each in results)):
        table.add_column(column, justify="left" if not column else "right")
    rows = {
        f"bytes: card, {CARD_PAYMENTS} payments a month": [f"{each.card_bytes:,}" for each in results],
        f"bytes: device, {DEVICE_PAYMENTS} payments, {DEVICE_USERS} users": [
            f"{each.device_bytes:,}" for each in results
        ],
        f"bytes: merchant, {MERCHANT_PAYMENTS:,} payments": [f"{each.merchant_bytes:,}" for each in results],
        f"bytes of the server for each of {MANY_CARDS:,} cards": [
            f"{each.many_card_bytes:,.0f}" for each in results
        ],
        f"{CARDS:,} cards, GiB": [f"{each.cards_gib:,.0f}" for each in results],
        f"{MERCHANTS:,} such merchants, GiB": [f"{each.merchants_gib:,.1f}" for each in results],
        "time in commands, µs a payment": [f"{each.command_us:.1f}" for each in results],
        "of it the reading": [f"{each.read_us:.1f}" for each in results],
        "CPU of the server's process, µs a payment": [f"{each.process_us:.0f}" for each in results],
        "round trips a batch": [f"{each.round_trips}" for each in results],
        "a batch written twice counts once": ["yes" if each.is_idempotent else "no" for each in results],
        "micro amounts, young accounts, sums": ["yes" if each.counts_all else "no" for each in results],
    }
    for name, cells in rows.items():
        table.add_row(name, *cells)
    console.print(table)
    console.print(
        f"Filled beyond its memory: {evicted.cards_left:,} of {evicted.cards:,} cards are left, {evicted.first_half_left:,} of them "
        f"from the first half; {evicted.merchants_left} of {evicted.merchants} merchants; the mark is "
        f"{'left' if evicted.is_mark_left else 'gone'}."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    argparse.ArgumentParser(prog="python -m benchmarks.entity_state", description=__doc__).parse_args(
        arguments
    )
    folder = ROOT / "build" / "entity-state"
    folder.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    of_users = ", ".join(f"{name} {count:.1f}" for name, count in entities_of_users().items())
    console.print(f"Entities of a user within {RETENTION_S // 86_400} days: {of_users}.")
    show(*run(folder), console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
