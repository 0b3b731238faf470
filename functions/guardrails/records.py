"""What was deployed, as rows: which ruleset is active, and each deployment past the desk of which nobody has written a row."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from common.metrics import emit
from contract.active_ruleset import active_position
from contract.ruleset_change import (
    DEPLOYMENT_MARK,
    ChangeKind,
    ChangeState,
    cut_reason,
    document_digest,
    make_change,
)
from guardrails.metrics import Metric
from rollouts.ownership import is_of_change
from rollouts.rows import active_row, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from common.metrics import MetricSink
    from contract.ruleset_change import RulesetChange
    from engine.rules.model_section import Models
    from engine.rules.ruleset import Ruleset
    from guardrails.ports import Changes, RulesetDeployments
    from rollouts.deployments import Deployment

RECORDED_BY_OTHERS: Final = timedelta(minutes=5)
"""Whoever deploys writes the row of it; after so long the guardrails do."""

RECORDED_WITHIN: Final = timedelta(hours=1)
"""The row of a deployment has a time at most so far from the deployment's own: both clocks, and a run that was slow."""

UNKNOWN: Final = "unknown"
"""In ``changed_by``: somebody who deployed without `make rules-deploy`. AWS's audit trail says who."""


class Records:
    """Keeps ``ruleset_changes`` true to AppConfig.

    Parameters
    ----------
    deployments : RulesetDeployments
        AppConfig.
    changes : Changes
        The table.
    keep : Callable[[str, bytes], None]
        Keeps a document by its digest.
    models : Models
        Gives the documents of models.
    metrics : MetricSink
        Powertools' Metrics.
    """

    def __init__(
        self,
        deployments: RulesetDeployments,
        changes: Changes,
        keep: Callable[[str, bytes], None],
        models: Models,
        metrics: MetricSink,
    ) -> None:
        self._deployments = deployments
        self._changes = changes
        self._keep = keep
        self._models = models
        self._metrics = metrics
        self._recorded_to = 0
        self._position = 0

    def note_active(self, newest: Sequence[Deployment], ruleset: Ruleset) -> None:
        """Keep the active document, where this process has not done so, and write that it is active: changes are made from it.

        The row is written at each run, and DynamoDB refuses it where it is there. So a row that was lost, or restored as of an earlier time, is there a minute later.
        """
        position = _position(newest)
        if position != self._position:
            self._keep(ruleset.digest, newest[-1].document)
        self._changes.put_active(
            active_row(newest[-1].number, position, newest[0].changed_at, ruleset, self._deployments.place)
        )
        self._position = position

    def record(self, newest: Sequence[Deployment], ruleset: Ruleset, now: datetime) -> None:
        """Insert the rows of deployments that have none.

        Parameters
        ----------
        newest : Sequence[Deployment]
            The active one is the last; those before it were undone.
        ruleset : Ruleset
            Of the active document.
        now : datetime
            UTC.
        """
        position = _position(newest)
        if position == self._recorded_to:
            return  # an undone one has another position, so it is recorded also where its deployment was
        if now - newest[0].changed_at < RECORDED_BY_OTHERS:
            return
        for deployment in newest:
            # Of the months of this deployment, not of today: a process that starts anew looks at deployments of any age.
            rows = self._changes.lately(deployment.changed_at + RECORDED_WITHIN)
            is_known = any(_is_row_of(each, deployment) for each in rows)
            if not is_known and not self._is_of_desk(deployment):
                self._changes.put(_change_of(deployment, ruleset))
                if deployment.is_undone:
                    emit(self._metrics, Metric.ROLLBACKS_RECORDED)
        self._recorded_to = position

    def _is_of_desk(self, deployment: Deployment) -> bool:
        """Whether a change that was approved brought it. Whoever deploys writes the description, so the row that it names must be of this deployment."""
        if deployment.is_undone or not deployment.description.startswith(DEPLOYMENT_MARK):
            return False
        change_id = deployment.description.removeprefix(DEPLOYMENT_MARK).partition(":")[0]
        change = self._changes.made(change_id)
        if change is None or change.decided_by is None or change.begun_after is None:
            return False
        if change.deployment is None:
            # The deployer has begun it, and not written its number yet.
            is_next = deployment.number == change.begun_after + 1
            is_begun = change.state is ChangeState.DEPLOYING and is_next
        else:
            is_begun = deployment.number == change.deployment
        return is_begun and is_of_change(change, deployment, self._deployments.before, self._models)


def _position(newest: Sequence[Deployment]) -> int:
    return active_position(newest[0].number, is_undone=newest[0].is_undone)


def _is_row_of(change: RulesetChange, deployment: Deployment) -> bool:
    """Whether the guardrails have recorded a deployment. In an AppConfig that was created anew, another one had its number; so document and time count, too."""
    if change.deployment != deployment.number or change.state is not ChangeState.DEPLOYED:
        return False
    digest = document_digest(deployment.document)
    if deployment.is_undone:
        return change.kind is ChangeKind.ROLLED_BACK and change.digest_before == digest
    if change.kind is ChangeKind.ROLLED_BACK or change.decided_by is not None:
        return False
    begun, ended = change.changed_at, change.ended_at or change.changed_at
    is_near = begun - RECORDED_WITHIN <= deployment.changed_at <= ended + RECORDED_WITHIN
    return change.digest_after == digest and is_near


def _change_of(deployment: Deployment, active: Ruleset) -> RulesetChange:
    return make_change(
        changed_at=deployment.changed_at,
        digest_after=active.digest,
        kind=ChangeKind.ROLLED_BACK if deployment.is_undone else ChangeKind.DEPLOYED,
        changed_by=UNKNOWN,
        reason=cut_reason(deployment.reason),
        digest_before=document_digest(deployment.document) if deployment.is_undone else None,
        deployment=deployment.number,
        **versions(active),
    )
