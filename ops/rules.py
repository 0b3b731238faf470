"""Change the ruleset by its table: propose a file, decide about what somebody else has proposed, and follow it until it is deployed.

Nothing here can deploy: the function `ruleset_deployer` does that, from rows that another person has approved.
"""

from __future__ import annotations

import logging
import random
import re
import time
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from common.backoff import Backoff
from common.errors import StageError
from common.ruleset_changes import ChangeRows
from common.ruleset_checks import check_draft
from common.ruleset_desk import DeskRefusal, RulesetDesk
from contract.ruleset_change import ChangeKind, ChangeState
from contract.ruleset_draft import Draft
from engine.rollout.entries import changed_entries
from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from common.ruleset_checks import Functions
    from contract.ruleset_change import RulesetChange

POLL_SECONDS: Final = 10.0
TABLE: Final = "ruleset_changes"
VALIDATOR: Final = "rules_validator"
SHOWN: Final = 10
"""Changes that are made already, of a listing."""

_SESSION: Final = re.compile(r"arn:[^:]+:sts::(\d+):assumed-role/([^/]+)/(.+)")
_SINGLE_SIGN_ON: Final = "AWSReservedSSO_"

REFUSALS: Final = {
    DeskRefusal.GONE: "There is no such change.",
    DeskRefusal.OWN_CHANGE: "Who has proposed a change neither approves nor rejects it; another person does, and its author may retract it.",
    DeskRefusal.NOT_THE_AUTHOR: "Only its author retracts a change; others reject it.",
    DeskRefusal.DECIDED: "Somebody has decided about it already.",
    DeskRefusal.UNSEEN: "It concerns entries of lists whose values pages mask; have them shown first.",
    DeskRefusal.STALE: "Another ruleset is active than the one from which it was made; propose it again.",
}


class Place(NamedTuple):
    """Where the ruleset of an environment is changed."""

    table: str
    bucket: str
    validator: str
    """The function's name and alias."""


def place(outputs: dict[str, Any], environment: str) -> Place:
    """Read from the root module's outputs where the ruleset is changed; OpsError if the environment is not applied yet."""
    try:
        return Place(
            outputs["table_names"][TABLE],
            outputs["rules"]["bucket"],
            f"{outputs['function_names'][VALIDATOR]}:live",
        )
    except KeyError as error:
        raise OpsError(f"{environment} has no ruleset yet; apply it first.") from error


def make_desk(dynamodb: Any, s3: Any, where: Place) -> RulesetDesk:
    """Make the desk of an environment, or of the stack on this machine."""
    backoff = Backoff(0.05, 1.0, time.sleep, random.random)
    rows = ChangeRows(dynamodb, where.table, logging.getLogger(__name__))
    return RulesetDesk(dynamodb, where.table, rows, s3, where.bucket, backoff)


def identity(arn: str) -> str:
    """Who a caller is, by the ARN of the identity.

    Whoever assumes a role names the session as they like, so all sessions of a role are one identity: else somebody could approve what they have proposed
    in another session. The sessions of single sign-on bear their person's name, which nobody chooses, and are people.

    Examples
    --------
    >>> identity("arn:aws:iam::123456789012:user/ann")
    'arn:aws:iam::123456789012:user/ann'
    >>> identity("arn:aws:sts::123456789012:assumed-role/rules-approve/run-7")
    'arn:aws:iam::123456789012:role/rules-approve'
    >>> identity("arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Rules_0123456789abcdef/ann@example.com")
    'arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Rules_0123456789abcdef/ann@example.com'
    """
    session = _SESSION.fullmatch(arn)
    if session is None or session[2].startswith(_SINGLE_SIGN_ON):
        return arn
    return f"arn:{arn.split(':')[1]}:iam::{session[1]}:role/{session[2]}"


def kind_of(share_percent: float | None) -> ChangeKind:
    """What ``SHARE=`` asks for.

    Examples
    --------
    >>> [str(kind_of(share)) for share in (None, 0, 10)]
    ['to_all', 'shadow', 'candidate']
    """
    if share_percent is None:
        return ChangeKind.TO_ALL
    return ChangeKind.CANDIDATE if share_percent else ChangeKind.SHADOW


def propose(
    desk: RulesetDesk,
    functions: Functions,
    validator: str,
    wanted: Draft,
    *,
    by: str,
    reason: str,
    now: datetime,
) -> RulesetChange:
    """Have a change checked, and propose it.

    Parameters
    ----------
    desk : RulesetDesk
        Of the environment.
    functions : Functions
        Lambda's client.
    validator : str
        The function's name.
    wanted : Draft
        What is wanted; the active ruleset is filled in.
    by, reason : str
        Who, and why.
    now : datetime
        UTC.

    Raises
    ------
    OpsError
        Where it is not good, or another ruleset became active meanwhile.
    """
    active = desk.active()
    if active is None:
        raise OpsError("Nobody has seen yet which ruleset is active; the guardrails look each minute.")
    draft = Draft(
        kind=wanted.kind,
        digest_before=active.digest,
        document=wanted.document,
        share=wanted.share,
        list_entries=wanted.list_entries,
    )
    try:
        checked = check_draft(functions, validator, draft)
        if not checked.is_good:
            lines = (
                f"line {each.line}: {each.message}" if each.line else each.message
                for each in checked.problems
            )
            raise OpsError("The ruleset is refused:\n" + "\n".join(lines))
        found = desk.propose(draft, checked, by, reason, now)
    except StageError as error:
        raise OpsError(f"It could not be proposed: {error}") from error
    return _made(found)


def must_see_entries(desk: RulesetDesk, change_id: str, by: str) -> bool:
    """Whether somebody who may approve a change must see the entries of lists that pages mask first."""
    change = desk.change(change_id)
    return (
        change is not None
        and change.changes_masked
        and change.state is ChangeState.PROPOSED
        and by not in (change.changed_by, *change.revealed_to)
    )


def reveal(desk: RulesetDesk, change_id: str, by: str) -> list[str]:
    """Give the entries of lists that a change concerns, a line each, and note who has seen them; without this nobody approves what pages mask.

    Nothing is noted where they cannot be read.

    Raises
    ------
    OpsError
        Where there is no such change, or its documents cannot be read.
    """
    try:
        change = desk.change(change_id)
        found = (
            ()
            if change is None
            else changed_entries(desk.document_before(change), desk.document_after(change))
        )
        _made(desk.reveal(change_id, by))
    except StageError as error:
        raise OpsError(f"The entries that it concerns cannot be shown: {error}") from error
    return [f"{each.list_name}: {each.value}, {each.words}" for each in found]


def decide(
    desk: RulesetDesk, decision: str, change_id: str, by: str, note: str | None, now: datetime
) -> RulesetChange:
    """Approve, reject or retract a change.

    Parameters
    ----------
    desk : RulesetDesk
        Of the environment.
    decision : str
        ``approve``, ``reject`` or ``retract``.
    change_id : str
        As the proposal and `make rules-changes` print it.
    by : str
        Who.
    note : str | None
        What this person says to it.
    now : datetime
        UTC.

    Raises
    ------
    OpsError
        Where that may not be, or not any more.
    """
    steps = {"approve": desk.approve, "reject": desk.reject, "retract": desk.retract}
    try:
        return _made(steps[decision](change_id, by, note, now))
    except StageError as error:
        raise OpsError(f"Nothing was decided: {error}") from error


def follow(
    desk: RulesetDesk,
    change_id: str,
    report: Callable[[str], None] = print,
    wait: Callable[[float], None] = time.sleep,
) -> RulesetChange:
    """Follow an approved change until it is deployed.

    Raises
    ------
    OpsError
        If it failed. The previous ruleset stays active.
    """
    shown = ""
    while True:
        change = desk.change(change_id)
        if change is None:
            raise OpsError(REFUSALS[DeskRefusal.GONE])
        line = f"{change_id}: {change.state.value}"
        if line != shown:
            report(line)
            shown = line
        if change.state is ChangeState.DEPLOYED:
            return change
        if not change.is_open:
            raise OpsError(
                f"{change_id} is {change.state.value}: {change.failure or change.decision_note or 'no reason given'}. "
                "The previous ruleset is still active."
            )
        wait(POLL_SECONDS)


def listing(open_changes: Iterable[RulesetChange], history: Iterable[RulesetChange]) -> str:
    """Say what waits for somebody, and what was changed last."""
    lines = [_line(change) for change in open_changes] or ["No change waits."]
    done = [_line(change) for change in islice((each for each in history if not each.is_open), SHOWN)]
    return "\n".join([*lines, "", *done])


def _line(change: RulesetChange) -> str:
    candidate = ""
    if change.candidate_version is not None:
        candidate = f", candidate {change.candidate_version} for {change.candidate_share or 0:g}%"
    decided = f", {change.decided_by}" if change.decided_by else ""
    failure = f" ({change.failure})" if change.failure else ""
    return (
        f"{change.change_id}  {change.state.value} {change.kind.value}: version {change.version_after}{candidate}; "
        f"{change.changed_by}{decided}: {change.reason}{failure}"
    )


def _made(found: RulesetChange | DeskRefusal) -> RulesetChange:
    if isinstance(found, DeskRefusal):
        raise OpsError(REFUSALS[found])
    return found
