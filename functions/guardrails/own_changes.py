"""The guardrails' own changes: a row is written before AppConfig is called, and ended behind it.

A process may die between the two. The row says which number the deployment has, or had, so whoever finds it begun looks there. However often a run dies, a
withdrawal has one row, which says what left its band, and the metric on which people are alerted is emitted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from common.metrics import emit
from contract.ruleset_change import (
    GUARDRAILS,
    ChangeKind,
    ChangeState,
    cut_reason,
    document_digest,
    document_sha256,
)
from guardrails.metrics import Metric
from rollouts.deployments import MAX_DESCRIPTION, RUNNING

if TYPE_CHECKING:
    from datetime import datetime

    from common.metrics import MetricSink
    from contract.ruleset_change import RulesetChange
    from guardrails.ports import Changes, Log, RulesetDeployments
    from rollouts.deployments import Deployment

_OVERTAKEN: Final = "another ruleset was deployed first"
_NOT_STOPPED: Final = "the deployment was complete before it was stopped"
_NOT_NEEDED: Final = "it was not deployed, and is not what follows from the counts any more"


class OwnChanges:
    """What the guardrails do, as rows.

    Parameters
    ----------
    changes : Changes
        The table.
    deployments : RulesetDeployments
        AppConfig.
    metrics : MetricSink
        Powertools' Metrics.
    log : Log
        Powertools' Logger.
    """

    def __init__(
        self, changes: Changes, deployments: RulesetDeployments, metrics: MetricSink, log: Log
    ) -> None:
        self._changes = changes
        self._deployments = deployments
        self._metrics = metrics
        self._log = log
        self._begun: list[RulesetChange] | None = None
        """None where the table must be read: by a new process, and after a call that failed."""

    def settle(self, newest_deployment: int, now: datetime) -> None:
        """See what became of changes that an earlier run began and did not end.

        Parameters
        ----------
        newest_deployment : int
            AppConfig's highest number.
        now : datetime
            UTC.
        """
        for change in self._all_begun(now):
            if change.kind is ChangeKind.ROLLED_BACK:
                self._settle_stop(change, now)
            else:
                self._settle_deployment(change, newest_deployment, now)

    def begin(self, change: RulesetChange) -> RulesetChange:
        """Write that something is about to be done. Where the same was begun already, that row goes on.

        Parameters
        ----------
        change : RulesetChange
            With ``begun_after`` and ``sha256_after``; of a deployment that is to be stopped, with its number.

        Returns
        -------
        RulesetChange
            The row as it is stored.
        """
        others = self._all_begun(change.changed_at)
        for each in others:
            if _what(each) == _what(change):
                return each
        self.end_unneeded(change.changed_at)
        begun = msgspec.structs.replace(change, state=ChangeState.DEPLOYING)
        self._begun = None
        self._changes.put(begun)
        self._begun = [begun]
        return begun

    def end(self, begun: RulesetChange, now: datetime, deployment: int) -> None:
        """Write that it was done, and emit what people are alerted on.

        Parameters
        ----------
        begun : RulesetChange
            As :meth:`begin` gave it.
        now : datetime
            UTC.
        deployment : int
            AppConfig's number of the new deployment, or of the one that was stopped.
        """
        if begun.kind is ChangeKind.ROLLED_BACK:
            emit(self._metrics, Metric.ROLLBACKS_RECORDED)
        if begun.kind is ChangeKind.WITHDRAWN:
            emit(self._metrics, Metric.CANDIDATES_WITHDRAWN)
        if begun.suspended_rule_ids:
            emit(self._metrics, Metric.RULES_SUSPENDED, len(begun.suspended_rule_ids))
        self._log.warning(
            "a deployment was stopped" if begun.kind is ChangeKind.ROLLED_BACK else "the ruleset was changed",
            extra={
                "reason": begun.reason,
                "before": begun.digest_before,
                "after": begun.digest_after,
                "deployment": deployment,
            },
        )
        # Last: whoever finds the row begun emits again, and two alerts are better than none.
        self._end(begun, ChangeState.DEPLOYED, now, deployment=deployment)

    def due_withdrawal(self, newest: Deployment, now: datetime) -> RulesetChange | None:
        """Give the stop of the newest deployment, where the candidate is to be taken out of the document before it too.

        A run may have died between the two. Nobody has deployed since, so what decides is what the stop left.

        Parameters
        ----------
        newest : Deployment
            AppConfig's newest, whether it was undone or not.
        now : datetime
            UTC.

        Returns
        -------
        RulesetChange | None
            With ``withdrawn_version``; None where nothing is due.
        """
        if not newest.is_undone:
            return None
        digest = document_digest(newest.document)
        stops = (
            each
            for each in self._changes.lately(now)
            if each.changed_by == GUARDRAILS
            and each.kind is ChangeKind.ROLLED_BACK
            and each.state is ChangeState.DEPLOYED
            and (each.deployment, each.digest_before) == (newest.number, digest)
        )
        return next((each for each in stops if each.withdrawn_version is not None), None)

    def end_unneeded(self, now: datetime) -> None:
        """Write that what was begun and not deployed does not follow from the counts any more."""
        for change in self._all_begun(now):
            self._end(change, ChangeState.FAILED, now, failure=_NOT_NEEDED)

    def _all_begun(self, now: datetime) -> list[RulesetChange]:
        if self._begun is None:
            self._begun = [
                each
                for each in self._changes.lately(now)
                if each.changed_by == GUARDRAILS and each.state is ChangeState.DEPLOYING
            ]
        return list(self._begun)

    def _settle_stop(self, change: RulesetChange, now: datetime) -> None:
        found = None if change.deployment is None else self._deployments.find(change.deployment)
        if found is not None and found.is_undone:
            self.end(change, now, found.number)
        elif found is None or found.state not in RUNNING:
            self._end(change, ChangeState.FAILED, now, failure=_NOT_STOPPED)

    def _settle_deployment(self, change: RulesetChange, newest_deployment: int, now: datetime) -> None:
        after = change.begun_after or 0
        found = self._deployments.find(after + 1)
        if found is None and newest_deployment == after:
            return  # this run goes on with it, or ends it as not needed
        is_own = (
            found is not None
            and document_sha256(found.document) == change.sha256_after
            and found.description == change.reason[:MAX_DESCRIPTION]
        )
        if found is None or not is_own:
            self._end(change, ChangeState.FAILED, now, failure=_OVERTAKEN)
        elif found.is_undone:
            failure = f"deployment {found.number} is {found.state.lower()}: {found.reason}"
            self._end(change, ChangeState.FAILED, now, failure=cut_reason(failure), deployment=found.number)
        else:
            self.end(change, now, found.number)

    def _end(self, begun: RulesetChange, state: ChangeState, now: datetime, **values: object) -> None:
        others = [each for each in self._begun or () if each is not begun]
        ended = msgspec.structs.replace(begun, state=state, ended_at=now, **values)
        self._begun = None
        self._changes.put_ended(begun, ended)
        self._begun = others


def _what(change: RulesetChange) -> tuple[object, ...]:
    """What is done, whenever and in whatever words."""
    stop = (change.deployment, change.withdrawn_version) if change.kind is ChangeKind.ROLLED_BACK else None
    return change.kind, change.begun_after, change.digest_before, change.sha256_after, stop
