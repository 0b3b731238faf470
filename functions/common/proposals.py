"""The document of a proposal, where the checker has found its draft good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.errors import StageError
from contract.ruleset_change import PROPOSED_KINDS, document_digest

if TYPE_CHECKING:
    from contract.ruleset_draft import CheckedDraft, Draft


class InvalidProposalError(StageError):
    """What is to be proposed is no good draft; `rules_validator` would have said so.

    Parameters
    ----------
    problem : str
        What is wrong.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(f"the change cannot be proposed: {problem}")
        self.problem = problem


def changes_nothing(draft: Draft, checked: CheckedDraft) -> bool:
    """Whether a good draft gives the document from which it is made, byte by byte."""
    return document_digest(checked.document.encode()) == draft.digest_before


def proposed_whole(draft: Draft, checked: CheckedDraft) -> bytes:
    """Give the whole document that a draft proposes, in UTF-8; InvalidProposalError where it is not good, or changes nothing."""
    if draft.kind not in PROPOSED_KINDS:
        raise InvalidProposalError(f"nobody proposes that something is {draft.kind.value}")
    if not checked.is_good:
        raise InvalidProposalError(checked.problems[0].message)
    if changes_nothing(draft, checked):
        raise InvalidProposalError("it changes nothing")
    return checked.document.encode()
