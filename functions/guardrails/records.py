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
from engine.errors import InvalidRulesetError
from engine.rules.check import check_ruleset
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
    from rollouts.deployments import Deployment, Listed

RECORDED_WITHIN: Final = timedelta(hours=1)
"""The row of a deployment has a time at most so far from the deployment's own: both clocks, and a run that was slow."""

UNKNOWN: Final = "unknown"
"""In ``changed_by``: somebody who deployed without `make rules-deploy`. AWS's audit trail says who. In ``version_after``: this version of the code refuses
the document, which is kept all the same."""


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
        self._rows: dict[str, list[RulesetChange]] = {}
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

    def record(self, newest: Sequence[Deployment], ruleset: Ruleset) -> None:
        """Insert the rows of deployments that have none, and keep their documents.

        The deployer and the guardrails write their rows before they deploy, so what has none now was deployed past them. AppConfig lists also what was active
        between two runs only.

        Parameters
        ----------
        newest : Sequence[Deployment]
            The active one is the last; those before it were undone.
        ruleset : Ruleset
            Of the active document.
        """
        position = _position(newest)
        if position == self._recorded_to:
            return  # an undone one has another position, so it is recorded also where its deployment was
        self._rows.clear()
        last = self._recorded_to // 2  # looked at again: it may have been undone before another one came
        for listed in self._deployments.listed():
            if last <= listed.number < newest[-1].number:
                self._record_replaced(listed)
        for deployment in newest:
            self._record(deployment, newest[-1], ruleset)
        self._recorded_to = position

    def _record_replaced(self, listed: Listed) -> None:
        """Record a deployment after which another one came, where nobody has."""
        # Whoever writes a number into a row has looked at its document, so that need not be read again.
        is_named = any(_names(each, listed) for each in self._rows_about(listed.started_at))
        if is_named and not listed.is_undone:
            return
        deployment = self._deployments.find(listed.number)
        if deployment is None:
            return  # AppConfig has forgotten it meanwhile
        then = deployment
        if deployment.is_undone:
            earlier = self._deployments.before(listed.number)[-1:]
            if earlier and not earlier[0].is_undone:
                then = earlier[0]
            elif is_named:
                return  # the first one: after it nothing decided, so there is no rollback to record
        self._record(deployment, then, self._ruleset(then))

    def _ruleset(self, deployment: Deployment) -> Ruleset | None:
        try:
            return check_ruleset(deployment.document, f"deployment {deployment.number}", self._models)
        except InvalidRulesetError:
            return None

    def _record(self, deployment: Deployment, then: Deployment, ruleset: Ruleset | None) -> None:
        """Record a deployment after which another one, or itself, decided; that one has this ruleset, or an unreadable one."""
        is_rollback = deployment.number != then.number
        # Of the months of this deployment, not of today: a process that starts anew looks at deployments of any age.
        rows = self._rows_about(deployment.changed_at)
        if any(_is_row_of(each, deployment, is_rollback=is_rollback) for each in rows):
            return
        if self._is_of_desk(deployment):
            return
        self._keep(document_digest(deployment.document), deployment.document)
        self._changes.put(
            make_change(
                changed_at=deployment.changed_at,
                digest_after=document_digest(then.document),
                kind=ChangeKind.ROLLED_BACK if is_rollback else ChangeKind.DEPLOYED,
                changed_by=UNKNOWN,
                reason=cut_reason(deployment.reason),
                digest_before=document_digest(deployment.document) if is_rollback else None,
                deployment=deployment.number,
                **({"version_after": UNKNOWN} if ruleset is None else versions(ruleset)),
            )
        )
        if is_rollback:
            emit(self._metrics, Metric.ROLLBACKS_RECORDED)

    def _rows_about(self, at: datetime) -> list[RulesetChange]:
        """The rows of the month of a deployment and of the one before."""
        until = at + RECORDED_WITHIN
        month = f"{until:%Y-%m}"
        if month not in self._rows:
            self._rows[month] = self._changes.lately(until)
        return self._rows[month]

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


def _names(change: RulesetChange, listed: Listed) -> bool:
    """Whether a row says that a deployment began."""
    is_made = change.state in (ChangeState.DEPLOYING, ChangeState.DEPLOYED)
    is_about = change.deployment == listed.number and change.kind is not ChangeKind.ROLLED_BACK
    return is_made and is_about and _is_near(change, listed.started_at)


def _is_row_of(change: RulesetChange, deployment: Deployment, *, is_rollback: bool) -> bool:
    """Whether the guardrails have recorded a deployment, or that it was undone."""
    if change.deployment != deployment.number or change.state is not ChangeState.DEPLOYED:
        return False
    digest = document_digest(deployment.document)
    if is_rollback:
        return change.kind is ChangeKind.ROLLED_BACK and change.digest_before == digest
    if change.kind is ChangeKind.ROLLED_BACK or change.decided_by is not None:
        return False
    return change.digest_after == digest and _is_near(change, deployment.changed_at)


def _is_near(change: RulesetChange, at: datetime) -> bool:
    """Whether a row is of the time of a deployment: in an AppConfig that was created anew, another one had its number."""
    begun, ended = change.changed_at, change.ended_at or change.changed_at
    return begun - RECORDED_WITHIN <= at <= ended + RECORDED_WITHIN
