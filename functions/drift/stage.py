"""One run: payments of the last day against the training window, and labels against what was decided."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from common.metrics import emit
from common.ruleset_bucket import LAST_GOOD, PREFIX
from contract.clock import EPOCH
from drift.metrics import Metric
from drift.store import SEGMENTS
from engine.errors import InvalidRulesetError
from engine.model.drift import SAMPLED, InputCounts, drift, read_baseline
from engine.model.health_report import health_report
from engine.model.outcomes import mature_window, outcomes
from engine.rollout.windows import HOUR, hour_of
from engine.rules.check import check_ruleset

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from common.metrics import MetricSink
    from contract.ruleset_change import RulesetChange
    from contract.scored import ScoredTransaction
    from engine.model.drift import Drift
    from engine.model.outcomes import JudgedPayment, Outcomes
    from engine.rules.model_section import Models
    from rollouts.tables import Counted

_DAY = timedelta(days=1)


class Documents(Protocol):
    """See :class:`drift.store.RulesBucket`."""

    def get(self, key: str) -> bytes | None:
        """Read an object."""
        ...


class Counts(Protocol):
    """See :class:`rollouts.tables.CountsTable`."""

    def read(self, digest: str, now: datetime) -> Counted:
        """Read what was counted of a ruleset."""
        ...


class Changes(Protocol):
    """See :class:`common.ruleset_changes.ChangeHistory`."""

    def lately(self, now: datetime) -> list[RulesetChange]:
        """The changes of this month and the one before, oldest first."""
        ...


class Judged(Protocol):
    """See :class:`drift.store.LabelledPayments`."""

    def read(
        self, max_labels: int, first: int, is_of_model: Callable[[ScoredTransaction], bool]
    ) -> tuple[list[JudgedPayment], float]:
        """Read labels of some users."""
        ...


class Health(NamedTuple):
    """What a run found."""

    model: str
    drift: Drift | None
    inputs: InputCounts
    """Of the last day."""
    outcomes: Outcomes
    now: datetime


class DriftStage:
    """Judges the model of the active ruleset, at each invocation.

    Parameters
    ----------
    documents : Documents
        The rules bucket.
    models : Models
        Gives the documents of models.
    baselines : Callable[[str], bytes | None]
        Gives the baseline of a model, by its sha256.
    counts, changes
        What was counted by which rulesets.
    judged : Judged
        Labels with the rows of their payments.
    max_labels : int
        How many a run reads.
    metrics : MetricSink
        Powertools' Metrics.
    clock : Callable[[], datetime]
        The time, aware, UTC.
    """

    def __init__(
        self,
        documents: Documents,
        models: Models,
        baselines: Callable[[str], bytes | None],
        counts: Counts,
        changes: Changes,
        judged: Judged,
        max_labels: int,
        metrics: MetricSink,
        clock: Callable[[], datetime],
    ) -> None:
        self._documents = documents
        self._models = models
        self._baselines = baselines
        self._counts = counts
        self._changes = changes
        self._judged = judged
        self._max_labels = max_labels
        self._metrics = metrics
        self._clock = clock

    def run(self) -> str:
        """Emit the metrics; give the report."""
        health = self._examine()
        if isinstance(health, Health):
            self._emit(health)
        return _text(health)

    def report(self) -> str:
        """Give the report alone."""
        return _text(self._examine())

    def _examine(self) -> Health | str:
        data = self._documents.get(LAST_GOOD)
        if data is None:
            return "No ruleset was active yet."
        ruleset, now = check_ruleset(data, "the active ruleset", self._models), self._clock()
        sha256 = ruleset.model_sha256
        if sha256 is None:
            return f"Ruleset {ruleset.stored_version} names no model."
        digests = self._digests_with(sha256, ruleset.digest, now)
        lately, mature = InputCounts(), InputCounts()
        since, until = mature_window(now)
        for digest in sorted(digests):
            counted = self._counts.read(digest, now)
            for hour, counts in counted.hours.items():
                if hour + HOUR > now - _DAY:
                    lately.merge(counts.inputs)
                if since <= hour < until:
                    mature.merge(counts.inputs)
            for part in counted.parts:
                if hour_of(part.at) not in counted.hours:
                    lately.merge(part.counts.inputs)
        baseline = self._baselines(sha256)
        judged, share = self._judged.read(
            self._max_labels,
            int((now - EPOCH) / HOUR) % SEGMENTS,
            lambda row: row.ruleset_version.rpartition("+")[2] in digests,
        )
        return Health(
            f"Model {sha256[:12]} of ruleset {ruleset.stored_version}",
            None if baseline is None else drift(read_baseline(baseline, sha256[:12]), lately),
            lately,
            outcomes(
                judged,
                share,
                mature.expected_frauds * SAMPLED,
                {place: count * SAMPLED for place, count in mature.scores.items()},
                now,
            ),
            now,
        )

    def _digests_with(self, sha256: str, active: str, now: datetime) -> set[str]:
        """Digests of the rulesets of the last weeks whose champion has this model."""
        known = {active}
        for change in self._changes.lately(now):
            if change.deployed_digest in known or not change.was_deployed:
                continue
            data = self._documents.get(f"{PREFIX}{change.deployed_digest}")
            if data is None:
                continue
            try:
                ruleset = check_ruleset(data, change.deployed_digest, self._models)
            except InvalidRulesetError:
                continue  # of a version with other features: its model's inputs were others, too
            if ruleset.model_sha256 == sha256:
                known.add(change.deployed_digest)
        return known

    def _emit(self, health: Health) -> None:
        found, inputs = health.outcomes, health.inputs
        emit(self._metrics, Metric.PAYMENTS_COUNTED, inputs.payments)
        age = None
        if found.newest_known_at is not None:
            age = (health.now - found.newest_known_at) / HOUR
        invalid = (
            max(inputs.invalid_fields.values(), default=0) / inputs.payments if inputs.payments else None
        )
        for metric, value in (
            (Metric.SCORE_DRIFT, None if health.drift is None else health.drift.score),
            (Metric.INPUT_DRIFT, None if health.drift is None else health.drift.largest),
            (Metric.INVALID_FIELD_PERCENT, None if invalid is None else 100 * invalid),
            (Metric.LABEL_DELAY_DAYS, found.delay_days),
            (Metric.NEWEST_LABEL_HOURS, age),
            (Metric.CALIBRATION, found.calibration),
            (Metric.PRECISION_PERCENT, None if found.precision is None else 100 * found.precision),
        ):
            if value is not None:
                emit(self._metrics, metric, value)


def _text(health: Health | str) -> str:
    """The report; or why there is none."""
    if isinstance(health, str):
        return health
    return health_report(health.model, health.drift, health.inputs, health.outcomes, health.now)
