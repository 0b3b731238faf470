"""The score stage and its yardsticks: CPU and wall time a payment, in rounds, at several batch sizes.

Each round gives every candidate the same events, one candidate after the other, and starts with another candidate each time.
So other work on the machine changes the ratio of a round little, and the median of the rounds hardly at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.harness import INJECTED, Cost
from benchmarks.network import Counts, Delays
from benchmarks.tables import Contents
from benchmarks.workload import TOPIC, batches, kafka_event
from cache.primary import ENTITY_PREFIX, SLOT_TAG, connect
from engine.profile import to_bytes
from score.checkpoint_items import CheckpointStatements, KeptProfile
from score.entity_store import mark_key
from score.profile_store import REVISION_BYTES, PartitionProgress, ProfileWrite, RedisProfileStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.harness import Harness
    from benchmarks.tables import Item
    from benchmarks.workload import Workload
    from engine.profile import Profile

SCORE: Final = "score"
BASELINE: Final = "baseline"
FLOOR: Final = "io_floor"
EMPTY: Final = "empty"
CANDIDATES: Final = (SCORE, BASELINE, FLOOR, EMPTY)

SIZES: Final = (1, 10, 100, 500)
BATCHES: Final = {1: 60, 10: 20, 100: 10, 500: 2}
"""Batch size to how many batches a round of CPU has."""
BATCHES_WITH_ROUND_TRIPS: Final = {1: 10, 10: 4, 100: 3, 500: 1}
"""Fewer in a round of wall time: the baseline waits at least 5 ms for each payment."""
WARM_BATCHES: Final = 15
PROFILE_DAYS: Final = 90


class Measured(msgspec.Struct):
    """Candidate to batch size to the costs of each round."""

    cpu: dict[str, dict[int, list[Cost]]]
    wall: dict[str, dict[int, list[Cost]]]
    counts: list[Counts]
    """Calls of the score stage in all batches of 100 of a round together, by round."""
    cache_cpu_us: list[float]
    """CPU of the cache's server per payment of these batches, µs, by round."""
    inserts: list[str]
    """Bodies of the score stage's insert requests in these batches."""

    def cpu_us(self, name: str, size: int) -> list[float]:
        """CPU a payment, µs, by round."""
        return [cost.cpu_us for cost in self.cpu[name][size]]

    def wall_us(self, name: str, size: int) -> list[float]:
        """Wall time a payment with injected round trips, µs, by round."""
        return [cost.wall_us for cost in self.wall[name][size]]


def payments_needed(rounds: int) -> int:
    """Number of payments that :func:`measure` takes."""
    a_round = sum(size * (BATCHES[size] + BATCHES_WITH_ROUND_TRIPS[size]) for size in SIZES)
    return WARM_BATCHES * 100 + rounds * a_round


def seed_cache(harness: Harness, profiles: dict[str, Profile], folded_to: dict[int, int]) -> None:
    """Store profiles in the cache as the stage does, and copies of them for the I/O floor.

    Parameters
    ----------
    profiles : dict[str, Profile]
        By user.
    folded_to : dict[int, int]
        Partition to the last offset that the profiles hold.

    Raises
    ------
    ValueError
        If the cache holds a profile of one of these users already.
    """
    store = RedisProfileStore(connect(harness.cache_endpoint), PROFILE_DAYS)
    progress = [PartitionProgress(TOPIC, partition, offset, 0) for partition, offset in folded_to.items()]
    lost = store.write([ProfileWrite(user, profile, b"") for user, profile in profiles.items()], progress)
    if lost:
        raise ValueError(f"{len(lost)} profiles exist already; the cache is not empty")
    for user in profiles:
        harness.cache.copy(f"profile:{SLOT_TAG}:{user}", f"floor:{user}")


def seed_entities(harness: Harness, workload: Workload) -> None:
    """Store the workload's entities in the cache as the stage does, complete for all time."""
    values: dict[bytes, bytes | int] = {
        ENTITY_PREFIX + entity_id: value for entity_id, value in workload.entities.items()
    }
    values |= {mark_key(TOPIC, partition): offset for partition, offset in enumerate(workload.folded_to)}
    harness.cache.mset(values)


def kept_item(user_id: str, profile: Profile) -> Item:
    """The item of a user's checkpoint, as it is on the wire."""
    kept = KeptProfile(user_id, to_bytes(profile), profile.tx_count)
    _, insert = CheckpointStatements("t").keep(kept, bytes(REVISION_BYTES), 2**32)
    names = ("item_key", "revision", "body", "version", "expires_at", "is_kept")
    item: Item = msgspec.json.decode(msgspec.json.encode(dict(zip(names, insert["Parameters"], strict=True))))
    return item


def measure(harness: Harness, workload: Workload, rounds: int, progress: Callable[[str], None]) -> Measured:
    """Measure every candidate.

    Parameters
    ----------
    harness : Harness
        Running, its cache empty.
    workload : Workload
        With at least :func:`payments_needed` payments left.
    rounds : int
        How often each candidate is measured.
    progress : Callable
        Gets a sentence for each round.
    """
    seed_cache(harness, workload.profiles, dict(enumerate(workload.folded_to)))
    seed_entities(harness, workload)
    # As after some time of work: each profile was kept once, and the next checkpoints are due one after the other.
    harness.load_tables(Contents([kept_item(user, profile) for user, profile in workload.profiles.items()]))
    functions = {name: harness.start(name) for name in CANDIDATES}
    warm = _events(workload, 100, WARM_BATCHES)
    for function in functions.values():
        for event in warm:
            function.invoke(event)
    measured = Measured(_empty(), _empty(), [], [], [])
    for number in range(rounds):
        progress(f"round {number + 1} of {rounds}")
        names = CANDIDATES[number % len(CANDIDATES) :] + CANDIDATES[: number % len(CANDIDATES)]
        for size in SIZES:
            events = _events(workload, size, BATCHES[size])
            for name in names:
                harness.counts()
                harness.captured()
                cache_cpu_s = harness.cache_cpu_s()
                measured.cpu[name][size].append(functions[name].measure(events, size * len(events)))
                if name == SCORE and size == 100:
                    measured.counts.append(harness.counts())
                    used_s = harness.cache_cpu_s() - cache_cpu_s
                    measured.cache_cpu_us.append(used_s * 1e6 / (size * len(events)))
                    measured.inserts += harness.captured()
        harness.set_delays(INJECTED)
        for size in SIZES:
            events = _events(workload, size, BATCHES_WITH_ROUND_TRIPS[size])
            for name in names:
                measured.wall[name][size].append(functions[name].measure(events, size * len(events)))
        harness.set_delays(Delays())
    for function in functions.values():
        function.stop()
    return measured


def _events(workload: Workload, size: int, count: int) -> list[bytes]:
    return [kafka_event(batch) for batch in batches(workload.take(size * count), size)]


def _empty() -> dict[str, dict[int, list[Cost]]]:
    return {name: {size: [] for size in SIZES} for name in CANDIDATES}
