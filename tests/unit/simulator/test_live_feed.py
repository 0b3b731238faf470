from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from simulator import SimulationConfig
from simulator.__main__ import main
from simulator.live_feed import FeedSummary, run_live_feed

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from contract.truth import SentPayment

STARTS_AT = datetime(2026, 3, 31, 18, 30, tzinfo=UTC)


class Clock:
    """A clock that only advances when someone waits."""

    def __init__(self, at: datetime = STARTS_AT) -> None:
        self.at = at
        self.waits: list[float] = []

    def now(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += timedelta(seconds=seconds)


class Bucket:
    """Keeps the dropped files, and each payment with the time when it was dropped."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.files: dict[str, bytes] = {}
        self.payments: list[tuple[datetime, SentPayment]] = []

    def put(self, name: str, data: bytes) -> None:
        assert name not in self.files
        self.files[name] = data

    def receive(self, payment: SentPayment) -> None:
        self.payments.append((self.clock.at, payment))

    @property
    def ids(self) -> list[str]:
        return [payment.transaction_id for _, payment in self.payments]


def fed(
    seed: int = 5, history: int = 400, tps: float = 20, seconds: int = 10, at: datetime = STARTS_AT
) -> tuple[Bucket, FeedSummary]:
    clock = Clock(at)
    bucket = Bucket(clock)
    config = SimulationConfig(seed=seed, users=30, transactions=history, ends_at=at)
    summary = run_live_feed(bucket.put, config, tps, seconds, clock.now, clock.wait, bucket.receive)
    return bucket, summary


def test_feed_drops_its_rate_times_its_length_after_the_history() -> None:
    bucket, summary = fed()

    assert summary.transactions == len(bucket.payments) == 400 + 200
    assert summary.files == len(bucket.files)
    assert summary.fraud == 4 + 2
    assert len(set(bucket.ids)) == 600


def test_a_rate_below_one_a_second_is_kept_over_the_whole() -> None:
    _, summary = fed(history=0, tps=0.25, seconds=20)

    assert summary.transactions == 5


def test_live_payments_are_dropped_within_two_seconds_and_never_before_they_happen() -> None:
    bucket, _ = fed(history=0)

    for dropped_at, payment in bucket.payments:
        happened_at = datetime.fromisoformat(str(payment.record["timestamp"]))
        assert timedelta(0) <= dropped_at - happened_at <= timedelta(seconds=2)


def test_feed_waits_a_second_between_files() -> None:
    bucket, _ = fed(history=0)

    assert bucket.clock.waits == [1.0] * 10
    assert len(bucket.files) == 10


def test_a_late_feed_catches_up_without_waiting() -> None:
    clock = Clock()
    bucket = Bucket(clock)

    def slow_put(name: str, data: bytes) -> None:
        bucket.put(name, data)
        clock.at += timedelta(seconds=3)

    config = SimulationConfig(seed=5, users=30, transactions=0, ends_at=STARTS_AT)
    summary = run_live_feed(slow_put, config, 20, 10, clock.now, clock.wait)

    assert summary.transactions == 200
    assert clock.waits == [1.0]


def test_ids_are_not_used_again_by_other_seeds_and_start_times() -> None:
    one, _ = fed(history=0)
    other_seed, _ = fed(seed=6, history=0)
    later, _ = fed(history=0, at=STARTS_AT + timedelta(seconds=1))

    assert len({*one.ids, *other_seed.ids, *later.ids}) == 600


def test_a_second_feed_of_a_day_repeats_the_same_history() -> None:
    one, _ = fed(seconds=1)
    later, _ = fed(seconds=1, at=STARTS_AT + timedelta(hours=3))

    repeated = set(one.ids) & set(later.ids)

    assert len(repeated) == 400
    assert {n for n in one.files if n in later.files and one.files[n] == later.files[n]} == {
        name for name in one.files if "history" in name
    }


def test_the_command_writes_files_and_their_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "landing"

    main(["--transactions", "300", "--users", "20", "--seed", "3", "--out", str(out)])

    truths = [msgspec.json.decode(line) for line in (out / "truth.jsonl").read_bytes().splitlines()]
    assert len(truths) == 300
    assert sum(truth["scenario"] is not None for truth in truths) == 3
    assert "300 transactions, 3 of them fraud" in capsys.readouterr().out
