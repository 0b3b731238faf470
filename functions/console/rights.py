"""Who may do what: the groups of the identity provider, and their rights."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


class Group(StrEnum):
    """A group of people, by its name at the identity provider."""

    ANALYST = "analyst"
    LEAD = "lead"
    AUTHOR = "author"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Right(StrEnum):
    """What a page or an action needs."""

    ENTER = "enter"
    """To be signed in, whatever one's group is."""
    READ_CASES = "read_cases"
    WORK_CASES = "work_cases"
    """To claim cases, and to give them back."""
    REASSIGN = "reassign"
    """To give cases to somebody else, and to see who works on how many."""
    BULK = "bulk"
    """To judge several cases together."""
    SEARCH = "search"
    """To look for payments and cases by what is known of them."""
    REVEAL = "reveal"
    """To see personal data, with a reason."""
    READ_AUDIT = "read_audit"
    READ_SESSIONS = "read_sessions"
    REVOKE_SESSIONS = "revoke_sessions"
    READ_RULES = "read_rules"
    """To see the ruleset, its lists, its model, and what was changed in it."""
    PROPOSE_RULES = "propose_rules"
    """To write rules, and to propose what one has written."""
    PROPOSE_ENTRIES = "propose_entries"
    """To propose that something is put on a list."""
    DECIDE_CHANGES = "decide_changes"
    """To approve or reject what somebody else proposes."""
    WITHDRAW = "withdraw"
    """To propose that the candidate is taken out."""


RIGHTS: Final[dict[Group, frozenset[Right]]] = {
    Group.ANALYST: frozenset(
        {
            Right.ENTER,
            Right.READ_CASES,
            Right.WORK_CASES,
            Right.SEARCH,
            Right.REVEAL,
            Right.READ_RULES,
            Right.PROPOSE_ENTRIES,
        }
    ),
    Group.LEAD: frozenset(
        {
            Right.ENTER,
            Right.READ_CASES,
            Right.WORK_CASES,
            Right.REASSIGN,
            Right.BULK,
            Right.SEARCH,
            Right.REVEAL,
            Right.READ_RULES,
            Right.PROPOSE_ENTRIES,
            Right.DECIDE_CHANGES,
            Right.WITHDRAW,
        }
    ),
    Group.AUTHOR: frozenset(
        {
            Right.ENTER,
            Right.READ_CASES,
            Right.READ_RULES,
            Right.PROPOSE_RULES,
            Right.PROPOSE_ENTRIES,
            Right.DECIDE_CHANGES,
            Right.WITHDRAW,
        }
    ),
    # Auditors read everything, and change nothing.
    Group.AUDITOR: frozenset(
        {
            Right.ENTER,
            Right.READ_CASES,
            Right.SEARCH,
            Right.READ_AUDIT,
            Right.READ_SESSIONS,
            Right.READ_RULES,
        }
    ),
    # Admins look after people, and see no payment.
    Group.ADMIN: frozenset({Right.ENTER, Right.READ_SESSIONS, Right.REVOKE_SESSIONS}),
}
"""Rights of each group; a person in several groups has the rights of all."""


def rights_of(groups: Iterable[Group]) -> frozenset[Right]:
    """Rights of a person.

    >>> sorted(right.value for right in rights_of([Group.ANALYST]))
    ['enter', 'propose_entries', 'read_cases', 'read_rules', 'reveal', 'search', 'work_cases']
    """
    return frozenset().union(*(RIGHTS[group] for group in groups))


def groups_of(names: Iterable[str]) -> tuple[Group, ...]:
    """Groups by their names at the identity provider; names of other groups are left out."""
    known = {group.value for group in Group}
    return tuple(sorted(Group(name) for name in {*names} & known))
