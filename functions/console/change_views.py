"""View models of changes of the ruleset: how far each change is, and what people may do about it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from console.views import counted, shown_time
from contract.ruleset_change import ChangeKind, ChangeState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from console.change_search import ChangePage, WantedChanges
    from contract.ruleset_change import RulesetChange

KINDS: Final = {
    ChangeKind.TO_ALL: "for all users",
    ChangeKind.SHADOW: "in shadow",
    ChangeKind.CANDIDATE: "as candidate",
    ChangeKind.LISTS: "entries of lists",
    ChangeKind.WITHDRAWN: "candidate withdrawn",
    ChangeKind.SUSPENDED: "rules suspended",
    ChangeKind.ROLLED_BACK: "rolled back",
    ChangeKind.DEPLOYED: "deployed directly",
}
"""In the words of a page."""

STATES: Final = {
    ChangeState.PROPOSED: "waits for another person",
    ChangeState.APPROVED: "approved, waits for its deployment",
    ChangeState.DEPLOYING: "is being deployed",
    ChangeState.DEPLOYED: "deployed",
    ChangeState.FAILED: "not deployed",
    ChangeState.REJECTED: "rejected",
    ChangeState.RETRACTED: "retracted by its author",
}


class ChangeRow(msgspec.Struct, frozen=True):
    """A change in a list of changes."""

    change_id: str
    at: str
    kind: str
    what: str
    """Versions and share."""
    by: str
    reason: str
    state: str
    is_grave: bool
    """Whether people should look: it failed, was withdrawn, suspended or rolled back."""


class ChangesView(msgspec.Struct, frozen=True):
    """The page of changes."""

    summary: str
    waiting: tuple[ChangeRow, ...]
    found: tuple[ChangeRow, ...]
    """Those that do not wait, or that were asked for."""
    is_all: bool
    """Whether nothing in particular was asked for."""
    following: str
    """Id of the change before which older ones begin; empty where there are no more."""
    fields: dict[str, str]
    """What was asked for, by the fields of the form."""
    people: tuple[tuple[str, str], ...]
    """Who was signed in lately: id and name."""


class ChangeView(msgspec.Struct, frozen=True):
    """A change's page."""

    row: ChangeRow
    facts: tuple[tuple[str, str], ...]
    can_decide: bool
    """Whether whoever looks may approve or reject it."""
    must_reveal: bool
    """Whether they must have its values shown before they approve it."""
    can_retract: bool
    why_not: str
    """Why it cannot be decided by whoever looks, while it waits; empty where it can, or does not wait."""
    waits: bool
    """Whether something is still to happen by itself: the page asks again by itself then."""


def changes_view(
    waiting: Sequence[RulesetChange],
    page: ChangePage,
    wanted: WantedChanges,
    names: Mapping[str, str],
    person: str,
) -> ChangesView:
    """Show changes: those that wait, the oldest first, and a page of others, the newest first."""
    open_ids = {each.change_id for each in waiting}
    return ChangesView(
        summary=f"{counted(len(waiting), 'change')} waiting." if wanted.is_all else "",
        waiting=tuple(change_row(each, names, person) for each in waiting),
        found=tuple(
            change_row(each, names, person) for each in page.changes if each.change_id not in open_ids
        ),
        is_all=wanted.is_all,
        following=page.following,
        fields={
            "until": "" if wanted.until is None else wanted.until.isoformat(),
            "person": wanted.person,
            "kind": wanted.kind,
        },
        people=tuple(sorted(names.items(), key=lambda pair: pair[1])),
    )


def change_row(change: RulesetChange, names: Mapping[str, str], person: str) -> ChangeRow:
    """Show a change in a line; ``names`` says what people are called, ``person`` is who looks."""
    return ChangeRow(
        change_id=change.change_id,
        at=shown_time(change.changed_at),
        kind=KINDS[change.kind],
        what=_what(change),
        by=_name(change.changed_by, names, person),
        reason=change.reason,
        state=STATES[change.state],
        is_grave=change.state is ChangeState.FAILED
        or change.kind in (ChangeKind.WITHDRAWN, ChangeKind.SUSPENDED, ChangeKind.ROLLED_BACK),
    )


def change_view(
    change: RulesetChange, names: Mapping[str, str], person: str, *, may_decide: bool, may_propose: bool
) -> ChangeView:
    """Show a change to somebody."""
    is_proposed, is_own = change.state is ChangeState.PROPOSED, change.changed_by == person
    why_not = ""
    if is_proposed and is_own:
        why_not = "You have proposed it, so somebody else approves or rejects it."
    elif is_proposed and not may_decide:
        why_not = "An author or a lead approves or rejects it."
    must_reveal = change.changes_masked and person not in change.revealed_to
    return ChangeView(
        row=change_row(change, names, person),
        facts=tuple(_facts(change, names, person)),
        can_decide=is_proposed and may_decide and not is_own,
        must_reveal=is_proposed and may_decide and not is_own and must_reveal,
        can_retract=is_own and may_propose and change.state in (ChangeState.PROPOSED, ChangeState.APPROVED),
        why_not=why_not,
        waits=change.state in (ChangeState.APPROVED, ChangeState.DEPLOYING),
    )


def _facts(change: RulesetChange, names: Mapping[str, str], person: str) -> Iterator[tuple[str, str]]:
    yield "Kind", KINDS[change.kind]
    yield "State", STATES[change.state]
    yield "By", f"{_name(change.changed_by, names, person)}, {shown_time(change.changed_at)}"
    if change.decided_by is not None and change.decided_at is not None:
        word = {
            ChangeState.REJECTED: "Rejected by",
            ChangeState.RETRACTED: "Retracted by",
        }.get(change.state, "Approved by")
        yield word, f"{_name(change.decided_by, names, person)}, {shown_time(change.decided_at)}"
    if change.decision_note:
        yield "What was said to it", change.decision_note
    if change.failure:
        yield "Why it was not deployed", change.failure
    if change.ended_at is not None:
        yield "Ended", shown_time(change.ended_at)
    if change.deployment is not None:
        yield "Deployment", str(change.deployment)
    yield "Documents", f"{change.digest_before or 'none'} to {change.deployed_digest}"
    if change.suspended_rule_ids:
        yield "Suspended", ", ".join(change.suspended_rule_ids)


def _what(change: RulesetChange) -> str:
    if change.kind is ChangeKind.LISTS:
        names = ", ".join(dict.fromkeys(each.list_name for each in change.list_entries))
        return f"{len(change.list_entries)} on {names}" if names else "entries"
    if change.withdrawn_version is not None and change.kind is ChangeKind.WITHDRAWN:
        return f"candidate {change.withdrawn_version}"
    if change.candidate_version is not None:
        share = change.candidate_share or 0
        whom = f"for {share:g}% of the users" if share else "in shadow"
        return f"candidate {change.candidate_version} {whom}, beside {change.version_after}"
    return f"version {change.version_after}"


def _name(someone: str, names: Mapping[str, str], person: str) -> str:
    if someone == person:
        return "you"
    return names.get(someone, someone)
