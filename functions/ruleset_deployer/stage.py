"""One run of the deployer: take each approved change a step further.

The row is written before each step that others see, and says what must be true for it. AppConfig starts a deployment only as the next one after the number in the row,
and its description names the change. So whoever finds a row whose deployment was about to start looks at that number: there is this change's deployment, or
somebody else's, or none, and only then it starts. However often a run dies or is repeated, a change is deployed once or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from common.errors import StageError
from common.failures import describe_failure
from common.metrics import emit
from common.ruleset_bucket import ChangedDocumentError, MissingDocumentError
from contract.active_ruleset import active_position
from contract.errors import ContractError
from contract.ruleset_change import ChangeKind, ChangeState
from engine.errors import EngineError
from engine.rules.check import check_ruleset
from rollouts.deployments import ROLLING_BACK, RUNNING
from rollouts.errors import NotDeployedError
from rollouts.ownership import has_withdrawn, is_of_change
from rollouts.rows import active_row
from ruleset_deployer.errors import RefusedChangeError
from ruleset_deployer.examination import examine
from ruleset_deployer.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from common.metrics import MetricSink
    from contract.active_ruleset import ActiveRuleset
    from contract.ruleset_change import RulesetChange
    from engine.rules.model_section import Models
    from engine.rules.ruleset import Ruleset
    from rollouts.deployments import Deployment

CONTENT_TYPE: Final = "application/x-yaml"
"""JSON is YAML, too."""

AT_ONCE: Final = frozenset({ChangeKind.WITHDRAWN, ChangeKind.LISTS})
"""A candidate that does harm, and a stolen card: half an hour is long. Neither brings a rule that could fail."""

MAX_REASON: Final = 1_000
"""Characters of a failure that the row keeps."""

_NOTHING_DEPLOYED: Final = "no ruleset is deployed; `make apply` deploys the first one"
_NUMBERED_ANEW: Final = (
    "AppConfig was created anew, and numbers its deployments again; make it again from the active ruleset"
)
_CANDIDATE_GONE: Final = "the candidate is in no ruleset that decides any more"
_NEXT_RUN: Final = "ConflictException"
"""Another deployment is under way, or has just begun. The next run sees which."""
_REFUSED: Final = "BadRequestException"
"""The validators of AppConfig refuse the document."""


class Log(Protocol):
    """Powertools' Logger."""

    def info(self, msg: object, *, extra: Mapping[str, object]) -> None:
        """Write one line with its fields."""
        ...

    def error(self, msg: object, *, extra: Mapping[str, object]) -> None:
        """Write one line with its fields."""
        ...


class Rows(Protocol):
    """See :class:`ruleset_deployer.store.DeployedRows`."""

    def open_changes(self) -> Iterable[RulesetChange]:
        """Changes at which something is still to be done, the oldest first."""
        ...

    def now(self, change: RulesetChange) -> RulesetChange | None:
        """Give a change as it is now."""
        ...

    def begin(self, change: RulesetChange, newest_deployment: int) -> bool:
        """Write that the deployment is about to start."""
        ...

    def begin_again(self, change: RulesetChange, newest_deployment: int) -> bool:
        """Write that it is about to start after another one."""
        ...

    def started(self, change: RulesetChange, deployment: int, ruleset: Ruleset) -> bool:
        """Write the number of the deployment, and what it brings."""
        ...

    def end(self, change: RulesetChange, state: ChangeState, at: datetime, failure: str | None) -> bool:
        """Write what became of a change."""
        ...

    def put_active(self, active: ActiveRuleset) -> None:
        """Write which ruleset is active."""
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

    def before(self, number: int) -> list[Deployment]:
        """Give the deployment that was active before another one, and those between them that were undone."""
        ...

    def find(self, number: int) -> Deployment | None:
        """Give one deployment."""
        ...

    def stop(self, deployment: Deployment) -> None:
        """Stop a deployment that is not complete."""
        ...

    def replace(
        self,
        newest: Sequence[Deployment],
        document: bytes,
        why: str,
        *,
        strategy: str | None,
        content_type: str | None,
    ) -> int:
        """Deploy a document."""
        ...


class Deployer:
    """Deploys approved changes, at each invocation.

    Parameters
    ----------
    rows : Rows
        How far each change is.
    deployments : RulesetDeployments
        AppConfig.
    proposed : Callable[[str], bytes]
        Gives a document that was proposed, by its SHA-256.
    keep : Callable[[str, bytes], None]
        Keeps a document by its digest, before it is deployed.
    models : Models
        Gives the documents of models.
    gradual_strategy : str
        AppConfig's id.
    metrics : MetricSink
        Powertools' Metrics.
    log : Log
        Powertools' Logger.
    clock : Callable[[], datetime]
        The time, aware, UTC.
    """

    def __init__(
        self,
        rows: Rows,
        deployments: RulesetDeployments,
        proposed: Callable[[str], bytes],
        keep: Callable[[str, bytes], None],
        models: Models,
        gradual_strategy: str,
        metrics: MetricSink,
        log: Log,
        clock: Callable[[], datetime],
    ) -> None:
        self._rows = rows
        self._deployments = deployments
        self._proposed = proposed
        self._keep = keep
        self._models = models
        self._gradual_strategy = gradual_strategy
        self._metrics = metrics
        self._log = log
        self._clock = clock

    def run(self) -> str:
        """Take each approved change a step further; what cannot be done now does not keep the others waiting.

        Returns
        -------
        str
            What was done, in a sentence.

        Raises
        ------
        ClientError, BotoCoreError, StageError, EngineError, ContractError
            The first of what could not be read or deployed. The next run tries again.
        """
        failure: Exception | None = None
        open_changes = [each for each in self._rows.open_changes() if each.state is not ChangeState.PROPOSED]
        # What is under way first: until it has ended, AppConfig takes no other.
        open_changes.sort(key=lambda each: (each.state is ChangeState.APPROVED, each.change_key))
        waiting = []
        for change in open_changes:
            try:
                self._advance(change)
                now = self._rows.now(change)
            except (ClientError, BotoCoreError, StageError, EngineError, ContractError) as error:
                self._log.error(
                    "A change could not be deployed now", extra=describe_failure(error) | _named(change)
                )
                failure, now = failure or error, change
            if now is not None and now.is_open:
                waiting.append(now)
        ages = [(self._clock() - each.decided_at).total_seconds() for each in waiting if each.decided_at]
        emit(self._metrics, Metric.OLDEST_SECONDS, max([0.0, *ages]))
        if failure is not None:
            raise failure
        return f"Of {len(open_changes)} approved changes {len(waiting)} are still to be deployed."

    def _advance(self, listed: RulesetChange) -> None:
        change = self._rows.now(listed)
        if change is None or change.state not in (ChangeState.APPROVED, ChangeState.DEPLOYING):
            return  # the index was behind
        if change.deployment is not None:
            found = self._deployments.find(change.deployment)
            if found is None or not found.description.startswith(change.deployment_mark):
                self._end(change, ChangeState.FAILED, _NUMBERED_ANEW)
            else:
                self._follow(change, found)
            return
        try:
            if change.begun_after is None:
                self._begin(change)
            else:
                self._resume(change, change.begun_after)
        except (RefusedChangeError, MissingDocumentError, ChangedDocumentError) as error:
            self._refuse(change, str(error))

    def _refuse(self, read: RulesetChange, reason: str) -> None:
        """Write that a change failed, unless another run beside this one deploys it: what looked stale may be its own deployment."""
        change = self._rows.now(read)
        if change is None or not change.is_open or change.deployment is not None:
            return
        if change.begun_after is not None:
            found = self._deployments.find(change.begun_after + 1)
            if found is not None and self._is_own(change, found):
                return
        self._end(change, ChangeState.FAILED, reason)

    def _begin(self, change: RulesetChange) -> None:
        newest = self._deployments.newest()
        if not newest or newest[-1].is_undone:
            raise RefusedChangeError(_NOTHING_DEPLOYED)
        after = newest[0].number
        begun = msgspec.structs.replace(change, state=ChangeState.DEPLOYING, begun_after=after)
        if newest[-1].state not in RUNNING:
            document, ruleset = self._examined(change, newest[-1])
            if self._rows.begin(change, after):
                self._start(begun, newest, document, ruleset)
        elif change.kind is ChangeKind.WITHDRAWN:  # Any other waits: AppConfig takes one at a time.
            both = [newest[-1], *self._deployments.before(newest[-1].number)[-1:]]
            if not any(has_withdrawn(change, each.document, self._models) for each in both):
                raise RefusedChangeError(_CANDIDATE_GONE)
            self._examined(begun, both[-1])  # What would be refused then stops no deployment now.
            if self._rows.begin(change, after):
                self._start_from_active(begun, newest)

    def _resume(self, change: RulesetChange, after: int) -> None:
        """Go on after a run that died between its row and its deployment, or has not heard of it."""
        newest = self._deployments.newest()
        if not newest or newest[-1].is_undone:
            raise RefusedChangeError(_NOTHING_DEPLOYED)
        found = self._deployments.find(after + 1)
        if found is None and newest[0].number < after:
            raise RefusedChangeError(_NUMBERED_ANEW)
        if found is None:
            # Read before, so it has nothing newer than `after`: what it says is what the deployment follows.
            self._start_from_active(change, newest)
        elif self._is_own(change, found):
            ruleset = check_ruleset(found.document, f"deployment {found.number}", self._models)
            self._note(change, found.number, ruleset)
        elif has_withdrawn(change, newest[-1].document, self._models):
            self._rows.begin_again(change, newest[0].number)  # The next run deploys it.
        else:
            raise RefusedChangeError("another ruleset was deployed first; make it again from that")

    def _start_from_active(self, change: RulesetChange, newest: Sequence[Deployment]) -> None:
        """Start a change that has begun. A deployment under way, which only a withdrawal finds here, is stopped first.

        What it brings decides for some users only, and must not be deployed for all at once. So the withdrawal is made from the document that decides then.
        """
        if newest[-1].state in RUNNING:
            earlier = self._deployments.before(newest[-1].number)
            if not earlier or earlier[-1].is_undone:
                return  # The first deployment: without it nothing would decide. The withdrawal waits until it is complete.
            self._deployments.stop(newest[-1])
            newest = self._deployments.newest()
        is_next = newest[0].number == change.begun_after
        if not is_next or newest[-1].state in RUNNING or newest[0].state == ROLLING_BACK:
            return  # Somebody was faster, or it is not undone yet; the next run goes on.
        self._start(change, newest, *self._examined(change, newest[-1]))

    def _examined(self, change: RulesetChange, active: Deployment) -> tuple[bytes, Ruleset]:
        return examine(change, active.document, self._proposed(change.sha256_after or ""), self._models)

    def _start(
        self, change: RulesetChange, newest: Sequence[Deployment], document: bytes, ruleset: Ruleset
    ) -> None:
        self._keep(ruleset.digest, document)
        strategy = None if change.kind in AT_ONCE else self._gradual_strategy
        try:
            number = self._deployments.replace(
                newest,
                document,
                f"{change.deployment_mark} {change.reason}",
                strategy=strategy,
                content_type=CONTENT_TYPE,
            )
        except NotDeployedError as error:
            raise RefusedChangeError(str(error)) from error
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if code == _REFUSED:
                raise RefusedChangeError(f"AppConfig refuses it: {error}") from error
            if code == _NEXT_RUN:
                self._log.info("AppConfig deploys another ruleset", extra=_named(change))
                return
            raise
        self._note(change, number, ruleset)

    def _note(self, change: RulesetChange, number: int, ruleset: Ruleset) -> None:
        self._rows.started(change, number, ruleset)
        position = active_position(number, is_undone=False)
        self._rows.put_active(active_row(number, position, self._clock(), ruleset, self._deployments.place))
        found = self._deployments.find(number)
        if found is None:
            raise NotDeployedError(number, "gone")
        self._follow(msgspec.structs.replace(change, state=ChangeState.DEPLOYING, deployment=number), found)

    def _is_own(self, change: RulesetChange, found: Deployment) -> bool:
        return is_of_change(change, found, self._deployments.before, self._models)

    def _follow(self, change: RulesetChange, found: Deployment) -> None:
        """See what became of a deployment."""
        if found.state == "COMPLETE":
            self._end(change, ChangeState.DEPLOYED, None)
        elif found.state not in RUNNING:
            self._end(
                change,
                ChangeState.FAILED,
                f"deployment {found.number} is {found.state.lower()}: {found.reason}",
            )

    def _end(self, change: RulesetChange, state: ChangeState, failure: str | None) -> None:
        reason = None if failure is None else failure[:MAX_REASON]
        if not self._rows.end(change, state, self._clock(), reason):
            return
        is_deployed = state is ChangeState.DEPLOYED
        emit(self._metrics, Metric.CHANGES_DEPLOYED if is_deployed else Metric.CHANGES_FAILED)
        self._log.info(
            "a change of the ruleset was made" if is_deployed else "a change of the ruleset failed",
            extra=_named(change) | ({} if reason is None else {"reason": reason}),
        )


def _named(change: RulesetChange) -> dict[str, object]:
    return {"change": change.change_id, "kind": change.kind.value}
