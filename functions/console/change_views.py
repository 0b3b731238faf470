"""View models of changes of the ruleset: what would differ, rule by rule and list by list, and how far each change is. Pure."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING, Final

import msgspec

from console.masking import masked
from console.views import counted, shown_time
from contract.ruleset_change import ChangeKind, ChangeState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from contract.authoring import ListOutline, RuleOutline, SideOutline
    from contract.ruleset_change import RulesetChange

PERSONAL_FIELDS: Final = frozenset({"card_id", "device_id", "ip_address", "payee_id", "user_id"})
"""Fields of payments whose values a page masks."""

MAX_LINES: Final = 400
"""Lines of a difference that are shown."""

_CONTEXT: Final = 20
"""Lines around a changed one: a rule has fewer."""
_OF_CHAMPION: Final = ("base_currency", "exchange_rates", "guardrails", "description")
"""What a candidate has from the champion, or has no need of."""

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
    ChangeState.FAILED: "approved, and not deployed",
    ChangeState.REJECTED: "rejected",
    ChangeState.RETRACTED: "retracted by its author",
}


class DiffLine(msgspec.Struct, frozen=True):
    """A line of a difference."""

    kind: str
    """``added``, ``removed`` or ``same``."""
    text: str


class RuleDiff(msgspec.Struct, frozen=True):
    """What differs in one rule."""

    id: str
    what: str
    """New, changed, or taken out."""
    lines: tuple[DiffLine, ...]


class Difference(msgspec.Struct, frozen=True):
    """What differs between two rulesets."""

    summary: str
    settings: tuple[tuple[str, str, str], ...]
    """Path, value before, value after; empty where there is none."""
    rules: tuple[RuleDiff, ...]
    entries: tuple[tuple[str, str, str, str, str], ...]
    """What, list, value, until, note."""
    is_cut: bool
    """Whether more differs than is shown."""


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
    done: tuple[ChangeRow, ...]
    has_more: bool


class ChangeView(msgspec.Struct, frozen=True):
    """A change's page."""

    row: ChangeRow
    facts: tuple[tuple[str, str], ...]
    can_decide: bool
    """Whether whoever looks may approve or reject it."""
    can_retract: bool
    why_not: str
    """Why it cannot be decided by whoever looks, while it waits; empty where it can, or does not wait."""
    waits: bool
    """Whether something is still to happen by itself: the page asks again by itself then."""


def difference(before: SideOutline, after: SideOutline, *, is_candidate: bool = False) -> Difference:
    """Compare two rulesets by what they say: comments and the order of rules are no difference.

    Parameters
    ----------
    before : SideOutline
        The active ruleset.
    after : SideOutline
        The other one.
    is_candidate : bool
        Whether it is a candidate, which has currency, rates and guardrails from the active one.
    """
    settings = tuple(_settings(before, after, is_candidate=is_candidate))
    rules = list(_rules(before.rules, after.rules))
    entries = list(_entries(before.lists, after.lists))
    shown, left = [], MAX_LINES
    for rule in rules:
        if left > 0:
            shown.append(msgspec.structs.replace(rule, lines=rule.lines[:left]))
        left -= len(rule.lines)
    parts = [
        counted(number, what)
        for number, what in (
            (sum(each.what == "new" for each in rules), "new rule"),
            (sum(each.what == "changed" for each in rules), "changed rule"),
            (sum(each.what == "taken out" for each in rules), "rule taken out"),
            (len(entries), "entry of lists"),
            (len(settings), "other setting"),
        )
        if number
    ]
    text = (
        ", ".join(parts)
        .replace("entrys of lists", "entries of lists")
        .replace("rule taken outs", "rules taken out")
    )
    return Difference(
        summary=f"{text}." if text else "Nothing differs but comments or the order.",
        settings=settings,
        rules=tuple(shown),
        entries=tuple(entries[:MAX_LINES]),
        is_cut=left < 0 or len(entries) > MAX_LINES,
    )


def rule_lines(rule: RuleOutline) -> list[str]:
    """Write a rule in one form, however its document writes it."""
    lines = [f"when: {part}" for part in _condition(rule.when)]
    lines += [f"points: {rule.points}", f"reason: {rule.reason}", f"mode: {rule.mode}"]
    if rule.max_share is not None:
        lines.append(f"max_share: {rule.max_share:g}")
    if rule.description:
        lines.append(f"description: {' '.join(rule.description.split())}")
    return lines


def shown_value(field: str, value: str) -> str:
    """An entry's value as a page shows it: masked where it is personal."""
    return masked(value, is_revealed=field not in PERSONAL_FIELDS)


def changes_view(
    waiting: Sequence[RulesetChange],
    done: Sequence[RulesetChange],
    names: Mapping[str, str],
    person: str,
    *,
    has_more: bool,
) -> ChangesView:
    """Show changes: those that wait, the oldest first, and others, the newest first."""
    open_ids = {each.change_id for each in waiting}
    return ChangesView(
        summary=f"{counted(len(waiting), 'change')} waiting.",
        waiting=tuple(change_row(each, names, person) for each in waiting),
        done=tuple(change_row(each, names, person) for each in done if each.change_id not in open_ids),
        has_more=has_more,
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
    return ChangeView(
        row=change_row(change, names, person),
        facts=tuple(_facts(change, names, person)),
        can_decide=is_proposed and may_decide and not is_own,
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


def _settings(
    before: SideOutline, after: SideOutline, *, is_candidate: bool
) -> Iterator[tuple[str, str, str]]:
    ours, theirs = dict(before.settings), dict(after.settings)
    for path in dict.fromkeys([*ours, *theirs]):
        if is_candidate and path.partition(".")[0] in (*_OF_CHAMPION, "share"):
            continue
        one, other = ours.get(path, ""), theirs.get(path, "")
        if one != other:
            yield path, one, other


def _rules(before: Sequence[RuleOutline], after: Sequence[RuleOutline]) -> Iterator[RuleDiff]:
    ours = {rule.id: rule for rule in before}
    for rule in after:
        mine = ours.pop(rule.id, None)
        old, new = [] if mine is None else rule_lines(mine), rule_lines(rule)
        if old != new:
            yield RuleDiff(rule.id, "new" if mine is None else "changed", tuple(_lines(old, new)))
    for rule in ours.values():
        yield RuleDiff(rule.id, "taken out", tuple(_lines(rule_lines(rule), [])))


def _lines(old: list[str], new: list[str]) -> Iterator[DiffLine]:
    kinds = {"+": "added", "-": "removed", " ": "same"}
    for number, line in enumerate(unified_diff(old, new, lineterm="", n=_CONTEXT)):
        if number > 1 and line[:1] in kinds:  # behind the two lines that name the sides
            yield DiffLine(kinds[line[:1]], line[1:])


def _condition(when: str) -> list[str]:
    """A condition by its lines, each as one writes it; of one that is folded, one line a part of its conjunction."""
    parts = " ".join(when.split()).split(" && ")
    return [f"{part} &&" for part in parts[:-1]] + parts[-1:]


def _entries(
    before: Sequence[ListOutline], after: Sequence[ListOutline]
) -> Iterator[tuple[str, str, str, str, str]]:
    ours = {each.name: each for each in before}
    for one in after:
        mine = ours.pop(one.name, None)
        old = {} if mine is None else {entry.value: entry for entry in mine.entries}
        if mine is None:
            yield "new list", one.name, "", "", one.description
        for entry in one.entries:
            known = old.pop(entry.value, None)
            if known != entry:
                what = "added" if known is None else "changed"
                yield what, one.name, shown_value(one.field, entry.value), entry.until, entry.note
        for entry in old.values():
            yield "taken off", one.name, shown_value(one.field, entry.value), entry.until, entry.note
    for gone in ours.values():
        yield "list taken out", gone.name, "", "", gone.description
