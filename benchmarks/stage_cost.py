"""Parts of the score stage's cost: the logic alone, users with a long past, sizes of profiles and rows, cold starts."""

from __future__ import annotations

import os
import subprocess
from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.candidates import EMPTY, SCORE, seed_cache
from benchmarks.harness import LAMBDA_PYTHON, FunctionFailedError, process_cpu_s
from benchmarks.item_size import inserted_items, item_bytes
from benchmarks.workload import batches, fold, kafka_event, steady_user
from contract.entity_ids import EntityKind, entity_ids
from contract.transaction import decode_transaction
from engine.entities.book import EntityBook
from engine.entities.kinds import POPULATION_IDS, user_hash
from engine.entities.state import Sighting
from engine.profile import Profile, to_bytes
from ops.manifests import ROOT, function_names
from score.profile_store import REVISION_BYTES
from simulator.records import timestamp_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.harness import Harness
    from benchmarks.workload import Payment, Workload

FEW: Final = 10
MANY: Final = 100_000
"""Earlier payments of the users that are compared."""
INTERVAL_MS: Final = 40 * 60_000
"""Between two payments of any of these users: their past differs, not their pace. 36 payments a day are more than a profile's ring
of recent payments holds, so the windows of a day must use the hour buckets as well."""
COMPARED_USERS: Final = 100
BATCHES_A_TURN: Final = 8
TURNS_A_ROUND: Final = 6

DAY_MS: Final = 86_400_000
_INSIDE: Final = ROOT / "benchmarks" / "inside.py"


class LogicCost(msgspec.Struct):
    """CPU of the logic in the stage's own zip, µs a payment, by round."""

    whole: list[float]
    """Decoding, validation, entities, features, rules and decision."""
    without_entities: list[float]
    decode: list[float]
    """Decoding and validation alone."""
    hottest: list[float]
    """The whole, of the same payments, all at one merchant that has every bucket and 32 users."""


def logic_cost(harness: Harness, workload: Workload, rounds: int) -> LogicCost:
    """Measure the logic, part by part in every round."""
    folder = harness.folder("logic")
    (folder / "ruleset.yaml").write_bytes(harness.documents.ruleset)
    (folder / "model.json").write_bytes(harness.documents.model)
    stored = {user: b64encode(to_bytes(profile)).decode() for user, profile in workload.profiles.items()}
    (folder / "profiles.json").write_bytes(msgspec.json.encode(stored))
    payments = _within_seconds(workload.payments[:2_000])
    hot = [_at_merchant(payment) for payment in payments]
    entities = workload.entities | hottest(payments)
    stored = {entity_id.hex(): b64encode(data).decode() for entity_id, data in entities.items()}
    (folder / "entities.json").write_bytes(msgspec.json.encode(stored))
    for ending, each in (("event", payments), ("hot", hot)):
        for number, batch in enumerate(batches(each, 100)):
            (folder / f"{number:03d}.{ending}.json").write_bytes(kafka_event(batch))
    root = harness.package(SCORE)
    environment = {"PYTHONPATH": str(root), "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", "")}
    command = [str(LAMBDA_PYTHON), "-P", str(_INSIDE), str(folder), str(rounds)]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FunctionFailedError(f"inside.py: {done.stderr[-2000:]}")
    return msgspec.json.decode(done.stdout, type=LogicCost)


HOTTEST: Final = "the hottest merchant"


def hottest(payments: Sequence[Payment]) -> dict[bytes, bytes]:
    """The state of a merchant at which a user paid every minute of 35 days until these payments."""
    book = EntityBook()
    until_s = payments[0].event_at_ms // 1000
    ids = entity_ids(decode_transaction(_at_merchant(payments[0]).value))
    of_merchant = (*[None] * EntityKind.MERCHANT, ids[EntityKind.MERCHANT], None)
    for number in range(35 * 24 * 60):
        book.fold(
            of_merchant, Sighting(until_s - 60 * number, user_hash(f"{number}"), False, False, 0, 1_234)
        )
    return {entity_id: data for entity_id, data in book.packed().items() if entity_id not in POPULATION_IDS}


def _at_merchant(payment: Payment) -> Payment:
    record = msgspec.json.decode(payment.value) | {"merchant_id": HOTTEST}
    return msgspec.structs.replace(payment, value=msgspec.json.encode(record))


def _within_seconds(payments: Sequence[Payment]) -> list[Payment]:
    """Let payments of days be made within seconds, as at a rate at which batches fill."""
    last_ms = payments[-1].event_at_ms
    moved = []
    for number, payment in enumerate(payments):
        at_ms = last_ms - len(payments) + number
        record = msgspec.json.decode(payment.value) | {"timestamp": timestamp_text(at_ms * 1000)}
        moved.append(msgspec.structs.replace(payment, value=msgspec.json.encode(record), event_at_ms=at_ms))
    return moved


class PastCost(msgspec.Struct):
    """CPU of a payment of users with few and of users with many earlier ones; µs, by round."""

    few: list[float]
    many: list[float]
    few_bytes: int
    """Sizes of their stored profiles."""
    many_bytes: int


def cost_by_past(harness: Harness, rounds: int) -> PastCost:
    """Measure the stage, I/O included, for users with 10 and with 100,000 earlier payments; 100 users a batch.

    One process takes the batches of both groups in turn, so other work on the machine affects both. A round's ratio is one of
    sums, because sums are what is paid for: the CPU of all batches of the one group over that of the other. The median of the
    single batches' ratios would leave out the expensive batches, and with them the garbage collections, which are part of the
    cost. The median of the rounds leaves out a round that was disturbed as a whole; their spread shows how reliable it is.

    Every turn has its own users: a user who starts with 10 payments has 18 at its end, and never more.
    """
    harness.cache.flushall()
    now = datetime.now(UTC)
    ends_at_ms = round(now.timestamp() * 1000)
    profiles, payments = {}, {}
    for partition, past in enumerate((FEW, MANY)):
        # One profile serves all users: it does not hold the user's id.
        stream = steady_user("model", partition, past + BATCHES_A_TURN, INTERVAL_MS, ends_at_ms)
        profiles[past] = profile = Profile()
        for payment in stream[:past]:
            fold(profile, payment)
        profile.mark_kept()  # no checkpoint is due while they are measured: with 10 payments none would be either
        payments[past] = stream[past:]
    function = harness.start(SCORE)

    def events_of(past: int, number: int) -> list[bytes]:
        users = [f"past{past}-{number}-{user}" for user in range(COMPARED_USERS)]
        batches = _for_users(payments[past], users, past + number * BATCHES_A_TURN * COMPARED_USERS)
        first = batches[0][0]
        seed_cache(harness, dict.fromkeys(users, profiles[past]), {first.partition: first.offset - 1})
        return [kafka_event(batch) for batch in batches]

    def turn(number: int) -> dict[int, float]:
        events = {past: events_of(past, number) for past in (FEW, MANY)}
        cpu_s = {FEW: 0.0, MANY: 0.0}
        for place in range(BATCHES_A_TURN):
            # The order alternates, from turn to turn as well: a batch may pay for the garbage of the one before it.
            for past in (FEW, MANY) if (number + place) % 2 else (MANY, FEW):
                cpu_s[past] += function.measure([events[past][place]], COMPARED_USERS).cpu_s
        return cpu_s

    function.try_invoke(b"{}")
    turn(0)  # warms up
    costs: dict[int, list[float]] = {FEW: [], MANY: []}
    for begin in range(1, 1 + rounds * TURNS_A_ROUND, TURNS_A_ROUND):
        turns = [turn(number) for number in range(begin, begin + TURNS_A_ROUND)]
        for past, by_round in costs.items():
            cpu_us = sum(each[past] for each in turns) * 1e6
            by_round.append(cpu_us / (TURNS_A_ROUND * BATCHES_A_TURN * COMPARED_USERS))
    function.stop()
    few_bytes, many_bytes = (len(to_bytes(profiles[past])) + REVISION_BYTES for past in (FEW, MANY))
    return PastCost(costs[FEW], costs[MANY], few_bytes, many_bytes)


def _for_users(stream: Sequence[Payment], users: Sequence[str], offset: int) -> list[list[Payment]]:
    """Let all users make the same payments: a batch for each payment, with offsets from ``offset`` on."""
    return [
        [
            msgspec.structs.replace(
                payment,
                user_id=user,
                value=payment.value.replace(b"model", user.encode()),
                offset=offset + number * len(users) + place,
            )
            for place, user in enumerate(users)
        ]
        for number, payment in enumerate(stream)
    ]


def profile_sizes(harness: Harness) -> list[int]:
    """Sizes of all stored profiles in the cache, bytes."""
    cache = harness.cache
    return [int(cache.strlen(key)) for key in cache.scan_iter("profile:*", count=1000)]


def worst_profile_bytes() -> int:
    """Size of the stored profile of a user who does everything that makes it grow: new values each time, many currencies; bytes."""
    now = datetime.now(UTC)
    now_ms = round(now.timestamp() * 1000)
    profile = Profile()
    currencies = ("EUR", "USD", "GBP", "JPY", "INR", "BRL", "CAD", "SGD", "PLN", "AUD")
    largest = 0
    for number, payment in enumerate(steady_user("worst", 0, 1_200, 40 * DAY_MS // 1_200, now_ms)):
        record = msgspec.json.decode(payment.value)
        record |= {
            "currency": currencies[number % len(currencies)],
            "location": {**record["location"], "country": f"{number % 26:02d}", "city": f"city {number}"},
            "merchant_id": f"merchant {number}",
            "device_id": f"device {number}",
            "payee_id": f"payee {number}",
            "channel": f"channel {number}",
        }
        hostile = msgspec.structs.replace(payment, value=msgspec.json.encode(record), partition=number % 32)
        fold(profile, hostile)
        largest = max(largest, len(to_bytes(profile)) + REVISION_BYTES)
    return largest


class RowSizes(msgspec.Struct):
    """Sizes of history rows as DynamoDB counts them, bytes."""

    approved: list[int]
    others: list[int]


def row_sizes(bodies: Sequence[str]) -> RowSizes:
    """Size of each row in the bodies of insert requests, those of approved payments apart."""
    sizes = RowSizes([], [])
    for body in bodies:
        for item in inserted_items(body):
            approved = item["decision"]["S"] == "approve"
            (sizes.approved if approved else sizes.others).append(item_bytes(item))
    return sizes


class ColdStart(msgspec.Struct):
    """Cold starts of one function, ms, by round."""

    init_cpu: list[float]
    """CPU of its process until it has handled an empty event: it has imported everything and called no service."""
    init_wall: list[float]
    """From the start of its process until it asks for its first event; other work on the machine lengthens it."""
    first_batch: list[float]
    """The first invocation with a payment; only of the score stage, which reads its ruleset then."""


def cold_starts(harness: Harness, workload: Workload, rounds: int) -> dict[str, ColdStart]:
    """Start every function afresh in each round, one after the other; the empty handler is one of them."""
    names = [EMPTY, *function_names()]
    starts = {name: ColdStart([], [], []) for name in names}
    for number in range(rounds + 1):
        for name in names:
            function = harness.start(name)
            init_ms = function.try_invoke(b"{}").init_duration_ms
            cpu_s = process_cpu_s(function.pid)
            first_batch_ms = []
            if name == SCORE:
                event = kafka_event(workload.take(1))
                first_batch_ms.append(function.invoke(event).duration_ms)
            function.stop()
            if init_ms is None:
                raise FunctionFailedError(f"{name}: its first invocation found a warm worker")
            if number == 0:
                continue  # this round reads the files from the disk
            starts[name].init_cpu.append(cpu_s * 1000)
            starts[name].init_wall.append(init_ms)
            starts[name].first_batch += first_batch_ms
    return starts
