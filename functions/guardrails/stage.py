"""One run of the guardrails: judge what was deployed by what was counted, and deploy what follows from that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from common.errors import StageError
from common.failures import describe_failure
from common.metrics import emit
from contract.active_ruleset import active_position
from contract.errors import ContractError
from contract.ruleset_change import GUARDRAILS, ChangeKind, cut_reason, document_sha256, make_change
from contract.side import Side
from engine.errors import EngineError
from engine.rollout.counts import total
from engine.rollout.edits import applied
from engine.rollout.guard import Action, evaluate, is_judged
from engine.rollout.report import RolloutReport, report_of
from engine.rollout.windows import windows_at
from engine.rules.check import check_ruleset
from guardrails.metrics import Metric
from guardrails.own_changes import OwnChanges
from guardrails.records import Records
from rollouts.deployments import ROLLING_BACK, RUNNING
from rollouts.rows import active_row, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from common.metrics import MetricSink
    from engine.rollout.guard import Finding
    from engine.rules.model_section import Models
    from engine.rules.ruleset import Ruleset
    from guardrails.ports import Changes, Counts, Log, RulesetDeployments
    from rollouts.deployments import Deployment

_COMPARED_MINUTES: Final = 5


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
        self._own = OwnChanges(changes, deployments, metrics, log)
        self._records = Records(deployments, changes, keep, models, metrics)

    def run(self) -> str:
        """Judge the active ruleset, and withdraw or suspend what left its bounds.

        Returns
        -------
        str
            What was found, in a sentence.

        Raises
        ------
        ClientError, BotoCoreError, StageError, EngineError, ContractError
            Where something could not be read, recorded or deployed. The next run does it.
        """
        newest = self._deployments.newest()
        if not newest or newest[-1].is_undone:
            return "No ruleset is deployed."
        now, ruleset = self._clock(), self._read(newest[-1])
        self._own.settle(newest[0].number, now)
        failure = self._try_to_record(newest, ruleset)
        sentence = self._judge(newest, ruleset, now)
        if failure is not None:
            raise failure
        return sentence

    def _try_to_record(self, newest: Sequence[Deployment], ruleset: Ruleset) -> Exception | None:
        """Record what was deployed. Where that fails, judging goes on: a bad candidate must not decide because a row cannot be written."""
        try:
            self._records.note_active(newest, ruleset)
            self._records.record(newest, ruleset)
        except (ClientError, BotoCoreError, StageError, EngineError, ContractError) as error:
            self._log.warning("what was deployed could not be recorded", extra=describe_failure(error))
            return error
        return None

    def _judge(self, newest: Sequence[Deployment], ruleset: Ruleset, now: datetime) -> str:
        """Judge the active ruleset, act, and say what was found."""
        if not is_judged(ruleset):
            self._own.end_unneeded(now)
            return "Nothing of the ruleset can be withdrawn or suspended."
        counted = self._counts.read(ruleset.digest, now)
        if counted.not_kept is not None:
            emit(self._metrics, Metric.HOURS_NOT_KEPT)
            self._log.warning("the sums of an hour cannot be kept", extra=describe_failure(counted.not_kept))
        windows = windows_at(counted.parts, counted.hours, now)
        compared = windows.get(_COMPARED_MINUTES) or windows[max(windows)]
        emit(self._metrics, Metric.PAYMENTS_COMPARED, sum(compared.payments.values()))
        finding = self._with_what_is_due(evaluate(windows, ruleset), newest, ruleset, now)
        emit(self._metrics, Metric.LEFT_BY_NEW_USERS, len(finding.watched))
        if finding.watched:
            self._log.warning("new users alone leave a band", extra={"reason": " ".join(finding.watched)})
        if finding.action is Action.KEEP:
            self._own.end_unneeded(now)
        elif newest[-1].state in RUNNING:
            self._stop(newest, ruleset, finding, now)
        elif newest[0].state != ROLLING_BACK:  # else the next run: AppConfig starts no other yet
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

    def _with_what_is_due(
        self, finding: Finding, newest: Sequence[Deployment], ruleset: Ruleset, now: datetime
    ) -> Finding:
        """Add the withdrawal that follows from a stop, where the run that stopped did not come to it.

        The candidate left its band with the share of the stopped deployment. What was counted with the share from before may show nothing, and must not keep it.
        """
        candidate, due = ruleset.candidate, self._own.due_withdrawal(newest[0], now)
        if candidate is None or due is None or candidate.ruleset.version != due.withdrawn_version:
            return finding
        of_champion = tuple(each for each in finding.suspensions if each.side is Side.CHAMPION)
        return msgspec.structs.replace(
            finding, action=Action.WITHDRAW, sentence=due.reason, suspensions=of_champion
        )

    def _stop(self, newest: Sequence[Deployment], ruleset: Ruleset, finding: Finding, now: datetime) -> None:
        """Stop a deployment under way. Its document decides for some users only, so what it brings must not be deployed for all at once: the one before decides.

        That one is judged like any. Where it has the candidate that is to be withdrawn, with the share from before, it is taken out at once.
        """
        stopped, earlier = newest[-1], self._deployments.before(newest[-1].number)
        if not earlier or earlier[-1].is_undone:
            # The first one: afterwards none is active, and a row would have no ruleset to name.
            self._deployments.stop(stopped)
            return
        before = self._read(earlier[-1])
        bad, left = ruleset.candidate, before.candidate
        is_left = bad is not None and left is not None and bad.ruleset.version == left.ruleset.version
        is_withdrawn = finding.action is Action.WITHDRAW and is_left
        begun = self._own.begin(
            make_change(
                changed_at=now,
                digest_after=before.digest,
                kind=ChangeKind.ROLLED_BACK,
                changed_by=GUARDRAILS,
                reason=cut_reason(finding.sentence),
                digest_before=ruleset.digest,
                deployment=stopped.number,
                withdrawn_version=bad.ruleset.version if is_withdrawn and bad is not None else None,
                **versions(before),
            )
        )
        self._deployments.stop(stopped)
        newest = self._deployments.newest()
        if not newest or newest[-1].number != earlier[-1].number:
            return  # somebody was faster; the next run sees what became of it, and judges what decides then
        self._own.end(begun, now, stopped.number)
        self._records.note_active(newest, before)
        if is_withdrawn and newest[0].state != ROLLING_BACK:  # else the next run: no other starts yet
            self._act(newest, before, msgspec.structs.replace(finding, suspensions=()), now)

    def _act(self, newest: Sequence[Deployment], ruleset: Ruleset, finding: Finding, now: datetime) -> None:
        document = applied(newest[-1].document.decode(), finding).encode()
        after = check_ruleset(document, "the new version", self._models)
        is_withdrawn = finding.action is Action.WITHDRAW
        self._keep(after.digest, document)
        begun = self._own.begin(
            make_change(
                changed_at=now,
                digest_after=after.digest,
                sha256_after=document_sha256(document),
                kind=ChangeKind.WITHDRAWN if is_withdrawn else ChangeKind.SUSPENDED,
                changed_by=GUARDRAILS,
                reason=cut_reason(finding.sentence),
                digest_before=ruleset.digest,
                withdrawn_version=ruleset.candidate.ruleset.version
                if is_withdrawn and ruleset.candidate
                else None,
                suspended_rule_ids=tuple(
                    sorted(_name(each.side, each.rule_id) for each in finding.suspensions)
                ),
                begun_after=newest[0].number,
                **versions(after),
            )
        )
        number = self._deployments.replace(newest, document, begun.reason)
        self._changes.put_active(
            active_row(number, active_position(number, is_undone=False), now, after, self._deployments.place)
        )
        self._own.end(begun, now, number)


def _name(side: Side, rule_id: str) -> str:
    return rule_id if side is Side.CHAMPION else f"{side}/{rule_id}"
