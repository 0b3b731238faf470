"""What the score stage's cost depends on, and what does not change it: logic alone, a user's past, sizes, cold starts."""

from __future__ import annotations

import os
import subprocess
import time
from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.candidates import EMPTY, SCORE, seed_cache
from benchmarks.item_size import inserted_items, item_bytes
from benchmarks.lab import LAMBDA_PYTHON, RULESET, FunctionFailedError, process_cpu_s
from benchmarks.workload import batches, fold, kafka_event, steady_user
from engine.profile import Profile
from ops.manifests import ROOT, function_names
from score.profile_store import REVISION_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.lab import Lab
    from benchmarks.workload import Payment, Workload

FEW: Final = 10
MANY: Final = 100_000
"""Earlier payments of the users that are compared."""
INTERVAL_MS: Final = 40 * 60_000
"""Between two payments of any of them: what differs is their past, not what rules make of their pace. 36 a day are more than the
ring holds, so that windows of a day take the long way."""
COMPARED_USERS: Final = 100
BATCHES_A_TURN: Final = 8
TURNS_A_ROUND: Final = 6

DAY_MS: Final = 86_400_000
_INSIDE: Final = ROOT / "benchmarks" / "inside.py"


def logic_us(lab: Lab, workload: Workload, rounds: int) -> list[float]:
    """CPU a payment of decode, validation, features, rules and decision, in the stage's own zip; µs, by round."""
    folder = lab.folder("logic")
    (folder / "ruleset.yaml").write_bytes(RULESET.read_bytes())
    stored = {user: b64encode(profile.to_bytes()).decode() for user, profile in workload.profiles.items()}
    (folder / "profiles.json").write_bytes(msgspec.json.encode(stored))
    for number, batch in enumerate(batches(workload.payments[:2_000], 100)):
        (folder / f"{number:03d}.event.json").write_bytes(kafka_event(batch, 0))
    root = lab.package(SCORE)
    environment = {"PYTHONPATH": str(root), "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", "")}
    command = [str(LAMBDA_PYTHON), "-P", str(_INSIDE), str(folder), str(rounds)]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FunctionFailedError(f"inside.py: {done.stderr[-2000:]}")
    return msgspec.json.decode(done.stdout, type=list[float])


class PastCost(msgspec.Struct):
    """Cost of a payment of users with few and with many earlier ones, by round, µs of CPU."""

    few: list[float]
    many: list[float]
    few_bytes: int
    """Their profiles' sizes, as stored."""
    many_bytes: int


def cost_by_past(lab: Lab, rounds: int) -> PastCost:
    """Measure the stage, I/O included, with users of 10 and of 100,000 earlier payments; 100 users a batch.

    A round's ratio is of sums: all CPU that the many took over all that the few took, in one process, batch by batch in turn, so
    that whatever the machine does meets both. Sums are what is paid for. The median of single batches' ratios would be another
    figure: it leaves out the dear batches of either side, and with them garbage collections, which are part of the cost. The
    rounds' median leaves out a round that was disturbed as a whole; their spread says how far to trust it.

    Every turn has users of its own: who begins with 10 payments has 18 at its end, not more with every round.
    """
    lab.cache.flushall()
    now = datetime.now(UTC)
    ends_at_ms = round(now.timestamp() * 1000)
    profiles, payments = {}, {}
    for partition, past in enumerate((FEW, MANY)):
        # One user's payments stand for those of a hundred: the profile says nothing of whose it is.
        stream = steady_user("model", partition, past + BATCHES_A_TURN, INTERVAL_MS, ends_at_ms)
        profiles[past] = profile = Profile()
        for payment in stream[:past]:
            fold(profile, payment, now)
        payments[past] = stream[past:]
    function = lab.start(SCORE)

    def events_of(past: int, number: int) -> list[bytes]:
        users = [f"past{past}-{number}-{user}" for user in range(COMPARED_USERS)]
        batches = _for_users(payments[past], users, past + number * BATCHES_A_TURN * COMPARED_USERS)
        first = batches[0][0]
        seed_cache(lab, dict.fromkeys(users, profiles[past]), {first.partition: first.offset - 1})
        now_ms = round(time.time() * 1000)
        return [kafka_event(batch, now_ms) for batch in batches]

    def turn(number: int) -> dict[int, float]:
        events = {past: events_of(past, number) for past in (FEW, MANY)}
        cpu_s = {FEW: 0.0, MANY: 0.0}
        for place in range(BATCHES_A_TURN):
            # Who goes first changes, in the next turn as well: a batch may pay for the garbage of the one before it.
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
    few_bytes, many_bytes = (len(profiles[past].to_bytes()) + REVISION_BYTES for past in (FEW, MANY))
    return PastCost(costs[FEW], costs[MANY], few_bytes, many_bytes)


def _for_users(stream: Sequence[Payment], users: Sequence[str], offset: int) -> list[list[Payment]]:
    """Let a hundred users make the same payments, a batch for each; the offsets go on from ``offset``."""
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


def profile_sizes(lab: Lab) -> list[int]:
    """Sizes of all profiles in the cache, as stored, bytes."""
    cache = lab.cache
    return [int(cache.strlen(key)) for key in cache.scan_iter("profile:*", count=1000)]


def worst_profile_bytes() -> int:
    """Size of a profile of somebody who does all that makes one grow: everything new each time, in many currencies."""
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
        fold(profile, hostile, now)
        largest = max(largest, len(profile.to_bytes()) + REVISION_BYTES)
    return largest


class RowSizes(msgspec.Struct):
    """Sizes of history rows as DynamoDB counts them, bytes."""

    approved: list[int]
    others: list[int]


def row_sizes(bodies: Sequence[str]) -> RowSizes:
    """Weigh the rows of inserts; those of approved payments apart."""
    sizes = RowSizes([], [])
    for body in bodies:
        for item in inserted_items(body):
            approved = item["decision"]["S"] == "approve"
            (sizes.approved if approved else sizes.others).append(item_bytes(item))
    return sizes


class ColdStart(msgspec.Struct):
    """Cold starts of one function, ms, by round."""

    init_cpu: list[float]
    """CPU of its process until it has refused an event that holds nothing: it imports, and waits for nobody."""
    init_wall: list[float]
    """From the start of its process until it asks for its first event, on a machine that others may use, too."""
    first_batch: list[float]
    """The first invocation that does something; only of the score stage, which reads its ruleset then."""


def cold_starts(lab: Lab, workload: Workload, rounds: int) -> dict[str, ColdStart]:
    """Start every function anew in each round, one after the other; the empty one among them."""
    names = [EMPTY, *function_names()]
    starts = {name: ColdStart([], [], []) for name in names}
    for number in range(rounds + 1):
        for name in names:
            function = lab.start(name)
            init_ms = function.try_invoke(b"{}").init_duration_ms
            cpu_s = process_cpu_s(function.pid)
            first_batch_ms = []
            if name == SCORE:
                event = kafka_event(workload.take(1), round(time.time() * 1000))
                first_batch_ms.append(function.invoke(event).duration_ms)
            function.stop()
            if init_ms is None:
                raise FunctionFailedError(f"{name} was warm already")
            if number == 0:
                continue  # the files are read from the disk this once
            starts[name].init_cpu.append(cpu_s * 1000)
            starts[name].init_wall.append(init_ms)
            starts[name].first_batch += first_batch_ms
    return starts
