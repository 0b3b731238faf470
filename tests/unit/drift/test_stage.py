"""A run compares the last day with the training window and labels with decisions, and emits what it can say."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from contract.ruleset_change import ChangeKind, RulesetChange, make_change
from drift.metrics import Metric
from drift.stage import DriftStage
from engine.model.drift import SAMPLED, SCORE_EDGES, Baseline, InputCounts
from engine.model.outcomes import JudgedPayment
from engine.rollout.counts import RolloutCounts
from engine.rollout.windows import Part
from engine.rules.check import check_ruleset
from rollouts.tables import Counted
from tests.support.model_samples import make_model, model_document
from tests.support.rule_samples import document, features

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.scored import ScoredTransaction

NOW = datetime(2026, 12, 1, 12, 30, tzinfo=UTC)
DAY = timedelta(days=1)
MODEL = make_model()
SECTION = f"model: {json.dumps({'sha256': MODEL.sha256})}\n"
ACTIVE = (document() + SECTION).encode()
BEFORE = (document(head=document().partition("rules")[0].replace('"1"', '"0"')) + SECTION).encode()
OTHER_MODEL = document().replace('"1"', '"-1"').encode()
HOUR = NOW.replace(minute=0)


def _digest(data: bytes) -> str:
    return check_ruleset(data, "test", lambda _: model_document()).digest


def _counts(amount: float, payments: int) -> RolloutCounts:
    counts = RolloutCounts()
    for number in range(payments):
        counts.inputs.add(MODEL, features(amount_base=amount), ["device_id"] if number % 10 == 0 else [])
    return counts


@dataclass
class World:
    """The stage with everything that it reads, in memory."""

    documents: dict[str, bytes] = field(default_factory=lambda: {"rulesets/last-good": ACTIVE})
    counted: dict[str, Counted] = field(default_factory=dict)
    changes: list[RulesetChange] = field(default_factory=list)
    judged: list[JudgedPayment] = field(default_factory=list)
    share: float = 1.0
    baseline: bytes | None = None
    emitted: dict[str, float] = field(default_factory=dict)
    asked: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stage = DriftStage(
            self,
            lambda _: model_document(),
            lambda _: self.baseline,
            _CountsOf(self),
            self,
            _LabelsOf(self),
            100,
            self,
            lambda: NOW,
        )

    def get(self, key: str) -> bytes | None:
        return self.documents.get(key)

    def lately(self, now: datetime) -> list[RulesetChange]:
        assert now == NOW
        return self.changes

    def add_metric(self, name: str, unit: object, value: float) -> None:
        assert unit
        self.emitted[name] = value


@dataclass
class _CountsOf:
    world: World

    def read(self, digest: str, now: datetime) -> Counted:
        assert now == NOW
        return self.world.counted.get(digest, Counted([], {}))


@dataclass
class _LabelsOf:
    world: World

    def read(
        self, max_labels: int, first: int, is_of_model: Callable[[ScoredTransaction], bool]
    ) -> tuple[list[JudgedPayment], float]:
        assert callable(is_of_model)
        self.world.asked.append((max_labels, first))
        return self.world.judged, self.world.share


def _baseline(amount: float) -> bytes:
    counts: InputCounts = _counts(amount, 1).inputs
    shares = {
        name: [float(counts.bins[name].get(place, 0)) for place in range(bins)]
        for name, bins in MODEL.bin_counts.items()
    }
    scores = [float(counts.scores.get(place, 0)) for place in range(len(SCORE_EDGES) + 1)]
    return msgspec.json.encode(Baseline(MODEL.sha256, 1.0, shares, scores))


def test_the_last_day_of_all_rulesets_with_the_model_is_compared_with_the_training_window() -> None:
    world = World(baseline=_baseline(50.0))
    world.documents |= {f"rulesets/{_digest(data)}": data for data in (BEFORE, OTHER_MODEL)}
    world.changes = [
        make_change(changed_at=NOW - DAY, digest_after=_digest(data), kind=ChangeKind.DEPLOYED, changed_by="me", reason="r", version_after="0")
        for data in (BEFORE, OTHER_MODEL)
    ]  # fmt: skip
    world.counted = {
        _digest(ACTIVE): Counted([Part(NOW, _counts(50.0, 700))], {HOUR - 2 * DAY: _counts(5_000.0, 900)}),
        _digest(BEFORE): Counted([], {HOUR - timedelta(hours=20): _counts(50.0, 500)}),
        _digest(OTHER_MODEL): Counted([Part(NOW, _counts(5_000.0, 900))], {}),
    }

    text = world.stage.run()

    assert world.emitted[Metric.PAYMENTS_COUNTED] == 1_200
    assert world.emitted[Metric.SCORE_DRIFT] == world.emitted[Metric.INPUT_DRIFT] == 0.0
    assert world.emitted[Metric.INVALID_FIELD_PERCENT] == pytest.approx(10.0)
    assert "1,200 payments of the last day" in text


def test_another_distribution_is_emitted() -> None:
    world = World(baseline=_baseline(50.0))
    counts = _counts(50.0, 600)
    counts.inputs.merge(_counts(5_000.0, 600).inputs)
    world.baseline = _baseline(50.0)
    world.counted = {_digest(ACTIVE): Counted([Part(NOW, counts)], {})}

    world.stage.run()

    # All payments of the window are in one bin, so its neighbours belong to it.
    assert world.emitted[Metric.INPUT_DRIFT] == 0.0
    shares = msgspec.json.decode(world.baseline, type=Baseline)
    halves = {name: _halves(values) for name, values in shares.features.items()}
    world.baseline = msgspec.json.encode(msgspec.structs.replace(shares, features=halves))
    world.stage.run()
    assert world.emitted[Metric.INPUT_DRIFT] > 0.25


def _halves(shares: list[float]) -> list[float]:
    return [0.5 if place < 2 else 0.0 for place in range(len(shares))]


def test_labels_say_how_late_they_are_and_whether_probabilities_hold() -> None:
    world = World(share=0.5)
    world.counted = {_digest(ACTIVE): Counted([], {HOUR - 45 * DAY: _counts(5_000.0, 100)})}
    at = NOW - 45 * DAY
    world.judged = [JudgedPayment(at, at + 10 * DAY, is_fraud=True, is_flagged=True, probability=0.4)] * 30
    world.judged.append(
        JudgedPayment(NOW - 4 * DAY, NOW - DAY, is_fraud=False, is_flagged=True, probability=0.4)
    )

    world.stage.run()

    expected = _counts(5_000.0, 100).inputs.expected_frauds * SAMPLED
    assert world.emitted[Metric.CALIBRATION] == pytest.approx(60 / expected)
    assert world.emitted[Metric.LABEL_DELAY_DAYS] == 3.0
    assert world.emitted[Metric.NEWEST_LABEL_HOURS] == 24.0
    assert world.emitted[Metric.PRECISION_PERCENT] == 0.0
    assert Metric.SCORE_DRIFT not in world.emitted


def test_a_report_emits_nothing_and_says_the_same() -> None:
    world = World()

    assert world.stage.report() == world.stage.run()
    quiet = World()
    quiet.stage.report()
    assert quiet.emitted == {}


@pytest.mark.parametrize(
    ("documents", "sentence"),
    [({}, "No ruleset was active yet."), ({"rulesets/last-good": OTHER_MODEL}, "names no model.")],
)
def test_without_a_model_there_is_nothing_to_judge(documents: dict[str, bytes], sentence: str) -> None:
    world = World(documents=documents)

    assert world.stage.run().endswith(sentence)
    assert world.stage.report().endswith(sentence)
    assert world.emitted == {}


def test_each_run_begins_with_another_part_of_the_labels() -> None:
    world = World()
    world.stage.run()

    ((max_labels, first),) = world.asked
    assert max_labels == 100
    assert first == int(NOW.timestamp() // 3_600) % 64
