"""A change of the ruleset before it is proposed: what its author wants, and what the checker says to it.

The function ``rules_validator`` makes the one of the other. It makes the whole document, too, so that what is approved is, byte by byte, what is deployed.
"""

from __future__ import annotations

import msgspec

from contract.ruleset_change import ChangeKind, Digest, ListEntry, Share, Version


class Draft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an author wants: ``{"draft": ...}`` in the function's event."""

    kind: ChangeKind
    """One of :data:`contract.ruleset_change.PROPOSED_KINDS`."""
    digest_before: Digest | None
    """The active document, from which the change is made; None where no ruleset was ever active."""
    document: str = ""
    """The ruleset, complete in itself; of ``to_all``, ``shadow`` and ``candidate``."""
    share: Share | None = None
    """Percent of the users, of ``candidate``; above 0."""
    list_entries: tuple[ListEntry, ...] = ()
    """Of ``lists``."""


class DraftProblem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong with a draft."""

    message: str
    """What is wrong, and what is allowed."""
    line: int | None = None
    """Of the author's document, from 1; None where the problem has no place in it."""
    column: int | None = None
    """From 1, in characters."""
    rule_id: str | None = None
    """The rule that has the problem; None if it is not in a rule."""
    excerpt: str = ""
    """The line of the document and, on a second line, a caret under the place. It may hold an entry of a list: no log has it."""


class CheckedDraft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The checker's answer. Where there are problems, all else is empty."""

    problems: tuple[DraftProblem, ...] = ()
    """In the order of the document."""
    warnings: tuple[str, ...] = ()
    """What is valid and can have no effect, one sentence each."""
    document: str = ""
    """The whole document that would be active, with its candidate."""
    summary: str = ""
    """What it has, in one line."""
    version_after: Version | None = None
    """The champion's version in it."""
    candidate_version: str | None = None
    """The candidate's."""
    candidate_share: Share | None = None
    withdrawn_version: str | None = None
    """The version of the candidate that the change takes out."""
    changes_masked: bool = False
    """Whether it concerns entries of lists whose values pages mask."""

    @property
    def is_good(self) -> bool:
        """Whether it can be proposed."""
        return not self.problems
