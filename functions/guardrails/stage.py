"""One run of the guardrails: record what was deployed, judge it by what was counted, and deploy what follows from that."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from common.failures import describe_failure
from common.metrics import emit
from contract.active_ruleset import active_position
from contract.ruleset_change import (
    DEPLOYMENT_MARK,
    GUARDRAILS,
    ChangeKind,
    document_digest,
    document_sha256,
    make_change,
)
from contract.side import Side
from engine.rollout.counts import total
from engine.rollout.edits import applied
from engine.rollout.guard import Action, evaluate, is_judged
from engine.rollout.report import RolloutReport, report_of
from engine.rollout.windows import windows_at
from engine.rules.check import check_ruleset
from guardrails.metrics import Metric
from rollouts.deployments import RUNNING
from rollouts.rows import active_row, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from common.metrics import MetricSink
    from contract.active_ruleset import ActiveRuleset
    from contract.ruleset_change import RulesetChange
    from engine.rollout.guard import Finding
    from engine.rules.model_section import Models
    from engine.rules.ruleset import Ruleset
    from rollouts.deployments import Deployment
    from rollouts.tables import Counted

RECORDED_BY_OTHERS: Final = timedelta(minutes=5)
"""Whoever deploys writes the row of it; after so long the guardrails do."""

RECORDED_WITHIN: Final = timedelta(hours=1)
"""The row of a deployment has a time at most so much later than the deployment's own: both clocks, and a run that was slow."""

UNKNOWN: Final = "unknown"
"""In ``changed_by``: somebody who deployed without `make rules-deploy`. AWS's audit trail says who."""

_COMPARED_MINUTES: Final = 5


class Log(Protocol):
    """Powertools' Logger."""

    def warning(self, msg: object, *, extra: Mapping[str, object]) -> None:
        """Write one line with its fields."""
        ...


class RulesetDeployments(Protocol):
    """The calls to AppConfig; see :class:`rollouts.deployments.Deployments`."""

    @property
    def place(self) -> str:
        """Ids of application and environment."""
        ...

    def newest(self) -> list[Deployment]:
        """Give the active deployment, and before it those that were undone later."""
        ...

    def replace(self, newest: Sequence[Deployment], document: bytes, why: str) -> int:
        """Deploy a document at once."""
        ...

    def stop(self, deployment: Deployment) -> None:
        """Stop a deployment that is not complete."""
        ...


class Counts(Protocol):
    """What was counted; see :class:`rollouts.tables.CountsTable`."""

    def read(self, digest: str, now: datetime) -> Counted:
        """Read what was counted of a ruleset."""
        ...


class Changes(Protocol):
    """What was changed; see :class:`common.ruleset_changes.MadeChanges`."""

    def put(self, change: RulesetChange) -> None:
        """Insert a row."""
        ...

    def put_active(self, active: ActiveRuleset) -> None:
        """Write which ruleset is active, unless somebody has seen something newer."""
        ...

    def made(self, change_id: str) -> RulesetChange | None:
        """Read a row by the change's id."""
        ...

    def lately(self, now: datetime) -> list[RulesetChange]:
        """The changes of this month and the one before, oldest first."""
        ...


class Guardrails:
    """Judges the active ruleset, at each invocation.

    Parameters
    ----------
    deployments : RulesetDeployments
        AppConfig.
    counts : Counts
        What both sides said.
    changes : Changes
        What was changed, by whom.
    keep : Callable[[str, bytes], None]
        Keeps a document by its digest, before it is deployed.
    models : Models
        Gives the documents of models.
    metrics : MetricSink
        Powertools' Metrics.
    log : Log
        Powertools' Logger.
    clock : Callable[[], datetime]
        The time, aware, UTC.
    """

    def __init__(
        self,
        deployments: RulesetDeployments,
        counts: Counts,
        changes: Changes,
        keep: Callable[[str, bytes], None],
        models: Models,
        metrics: MetricSink,
        log: Log,
        clock: Callable[[], datetime],
    ) -> None:
        self._deployments = deployments
        self._counts = counts
        self._changes = changes
        self._keep = keep
        self._models = models
        self._metrics = metrics
        self._log = log
        self._clock = clock
        self._recorded_to = 0
        self._position = 0

    def run(self) -> str:
        """Judge the active ruleset, and withdraw or suspend what left its bounds.

        Returns
        -------
        str
            What was found, in a sentence.

        Raises
        ------
        ClientError, BotoCoreError, StageError, EngineError
            Where something could not be read or deployed. The next run does it.
        """
        newest = self._deployments.newest()
        if not newest or newest[-1].is_undone:
            return "No ruleset is deployed."
        now, active = self._clock(), newest[-1]
        ruleset = self._read(active)
        self._note_active(newest, ruleset)
        self._record(newest, ruleset, now)
        if not is_judged(ruleset):
            return "Nothing of the ruleset can be withdrawn or suspended."
        counted = self._counts.read(ruleset.digest, now)
        if counted.not_kept is not None:
            emit(self._metrics, Metric.HOURS_NOT_KEPT)
            self._log.warning("the sums of an hour cannot be kept", extra=describe_failure(counted.not_kept))
        windows = windows_at(counted.parts, counted.hours, now)
        compared = windows.get(_COMPARED_MINUTES) or windows[max(windows)]
        emit(self._metrics, Metric.PAYMENTS_COMPARED, sum(compared.payments.values()))
        finding = evaluate(windows, ruleset)
        emit(self._metrics, Metric.LEFT_BY_NEW_USERS, len(finding.watched))
        if finding.watched:
            self._log.warning("new users alone leave a band", extra={"reason": " ".join(finding.watched)})
        if finding.action is not Action.KEEP:
            if active.state in RUNNING:
                self._stop(newest, ruleset, finding, now)
            else:
                self._act(newest, ruleset, finding, now)
        return finding.sentence

    def report(self) -> RolloutReport | str:
        """Say what the candidate would change, since it is in the document in this version, whatever else was changed in the document.

        Returns
        -------
        RolloutReport | str
            The figures; a sentence where no ruleset is deployed.
        """
        newest = self._deployments.newest()
        if not newest or newest[-1].is_undone:
            return "No ruleset is deployed."
        now, ruleset = self._clock(), self._read(newest[-1])
        candidate, digests = ruleset.candidate, {ruleset.digest}
        changes = [each for each in self._changes.lately(now) if each.was_deployed]
        if candidate is not None:
            version = candidate.ruleset.version
            digests |= {each.deployed_digest for each in changes if each.candidate_version == version}
        windows = []
        for digest in sorted(digests):
            counted = self._counts.read(digest, now)
            windows.append(windows_at(counted.parts, counted.hours, now))
        whole = total(each[max(each)] for each in windows)
        lately = [
            f"{each.changed_at:%Y-%m-%d %H:%M} UTC, {each.kind}: {each.reason}" for each in changes[-3:]
        ]
        return report_of(whole, max(max(each) for each in windows), ruleset, lately)

    def _read(self, deployment: Deployment) -> Ruleset:
        return check_ruleset(deployment.document, f"deployment {deployment.number}", self._models)

    def _note_active(self, newest: Sequence[Deployment], ruleset: Ruleset) -> None:
        """Keep the active document, and write that it is active, where this process has not done so: changes are made from it."""
        position = active_position(newest[0].number, is_undone=newest[0].is_undone)
        if position == self._position:
            return
        self._keep(ruleset.digest, newest[-1].document)
        self._changes.put_active(
            active_row(newest[-1].number, position, newest[0].changed_at, ruleset, self._deployments.place)
        )
        self._position = position

    def _stop(self, newest: Sequence[Deployment], ruleset: Ruleset, finding: Finding, now: datetime) -> None:
        """Stop a deployment under way. Its document decides for some users only, so what it brings must not be deployed for all at once: the one before decides.

        That one is judged like any. Where it has the candidate that is to be withdrawn, with the share from before, it is taken out at once.
        """
        stopped = newest[-1]
        self._deployments.stop(stopped)
        newest = self._deployments.newest()
        if not newest or newest[-1].number >= stopped.number:
            return  # somebody was faster; the next run judges what decides then
        before = self._read(newest[-1])
        self._changes.put(
            make_change(
                changed_at=now,
                digest_after=before.digest,
                kind=ChangeKind.ROLLED_BACK,
                changed_by=GUARDRAILS,
                reason=finding.sentence,
                digest_before=ruleset.digest,
                deployment=stopped.number,
                **versions(before),
            )
        )
        emit(self._metrics, Metric.ROLLBACKS_RECORDED)
        self._log.warning(
            "a deployment was stopped",
            extra={
                "reason": finding.sentence,
                "before": ruleset.digest,
                "after": before.digest,
                "deployment": stopped.number,
            },
        )
        self._note_active(newest, before)
        bad, left = ruleset.candidate, before.candidate
        is_left = bad is not None and left is not None and bad.ruleset.version == left.ruleset.version
        if finding.action is Action.WITHDRAW and is_left:
            self._act(newest, before, msgspec.structs.replace(finding, suspensions=()), now)

    def _act(self, newest: Sequence[Deployment], ruleset: Ruleset, finding: Finding, now: datetime) -> None:
        document = applied(newest[-1].document.decode(), finding).encode()
        after = check_ruleset(document, "the new version", self._models)
        self._keep(after.digest, document)
        number = self._deployments.replace(newest, document, finding.sentence)
        self._changes.put_active(
            active_row(number, active_position(number, is_undone=False), now, after, self._deployments.place)
        )
        is_withdrawn = finding.action is Action.WITHDRAW
        suspended = tuple(sorted(_name(each.side, each.rule_id) for each in finding.suspensions))
        withdrawn = ruleset.candidate.ruleset.version if is_withdrawn and ruleset.candidate else None
        self._changes.put(
            make_change(
                changed_at=now,
                digest_after=after.digest,
                kind=ChangeKind.WITHDRAWN if is_withdrawn else ChangeKind.SUSPENDED,
                changed_by=GUARDRAILS,
                reason=finding.sentence,
                digest_before=ruleset.digest,
                withdrawn_version=withdrawn,
                suspended_rule_ids=suspended,
                deployment=number,
                **versions(after),
            )
        )
        if is_withdrawn:
            emit(self._metrics, Metric.CANDIDATES_WITHDRAWN)
        if suspended:
            emit(self._metrics, Metric.RULES_SUSPENDED, len(suspended))
        self._log.warning(
            "the ruleset was changed",
            extra={
                "reason": finding.sentence,
                "before": ruleset.digest,
                "after": after.digest,
                "deployment": number,
            },
        )

    def _record(self, newest: list[Deployment], ruleset: Ruleset, now: datetime) -> None:
        """Insert the rows of deployments that have none."""
        position = active_position(newest[0].number, is_undone=newest[0].is_undone)
        if position == self._recorded_to:
            return  # an undone one has another position, so it is recorded also where its deployment was
        if now - newest[0].changed_at < RECORDED_BY_OTHERS:
            return
        for deployment in newest:
            # Of the months of this deployment, not of today: a process that starts anew looks at deployments of any age.
            rows = self._changes.lately(deployment.changed_at + RECORDED_WITHIN)
            known = {(each.deployment, each.kind is ChangeKind.ROLLED_BACK) for each in rows}
            if (deployment.number, deployment.is_undone) not in known and not self._is_of_desk(deployment):
                self._changes.put(self._change_of(deployment, ruleset))
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
        if change.sha256_after == document_sha256(deployment.document):
            return deployment.number in (change.deployment, change.begun_after + 1)
        # A withdrawal that was made again from another document: the row says of which deployment.
        made_again = change.kind is ChangeKind.WITHDRAWN and change.deployment == deployment.number
        return made_again and change.digest_deployed == document_digest(deployment.document)

    def _change_of(self, deployment: Deployment, active: Ruleset) -> RulesetChange:
        before = self._read(deployment).digest if deployment.is_undone else None
        return make_change(
            changed_at=deployment.changed_at,
            digest_after=active.digest,
            kind=ChangeKind.ROLLED_BACK if deployment.is_undone else ChangeKind.DEPLOYED,
            changed_by=UNKNOWN,
            reason=deployment.reason,
            digest_before=before,
            deployment=deployment.number,
            **versions(active),
        )


def _name(side: Side, rule_id: str) -> str:
    return rule_id if side is Side.CHAMPION else f"{side}/{rule_id}"
