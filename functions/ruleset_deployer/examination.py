"""The last look at an approved change: whether the document is the one that was approved, is good, and is what the row says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contract.ruleset_change import PROPOSED_KINDS, document_digest, document_sha256
from engine.errors import InvalidRulesetError, RulesetEditError
from engine.rollout.entries import changed_entries
from engine.rollout.whole import keep_to
from engine.rules.check import check_ruleset
from rollouts.ownership import made_again
from rollouts.rows import versions
from ruleset_deployer.errors import RefusedChangeError

if TYPE_CHECKING:
    from contract.ruleset_change import RulesetChange
    from engine.errors import RulesetProblem
    from engine.rules.model_section import Models
    from engine.rules.ruleset import Ruleset

SHOWN_PROBLEMS: Final = 5
"""The most problems of a document that the reason of a refusal names."""


def examine(change: RulesetChange, active: bytes, document: bytes, models: Models) -> tuple[bytes, Ruleset]:
    """Check what is to be deployed, by the code of `make rules-check` and of AppConfig's validator.

    Who approves a withdrawal wants that one candidate decides no more, whatever document has it. So a withdrawal is made again from the document that decides,
    where that is not the one from which it was made: a deployment was undone, perhaps by this very withdrawal, or another change came first.

    Parameters
    ----------
    change : RulesetChange
        Approved.
    active : bytes
        The document that decides now.
    document : bytes
        What was proposed.
    models : Models
        Gives the documents of models.

    Returns
    -------
    tuple[bytes, Ruleset]
        What is to be deployed: the document as it was approved, or a withdrawal that was made again.

    Raises
    ------
    RefusedChangeError
        Where it must not be deployed.
    ModelUnreachableError
        Where a model could not be fetched; another try may succeed.
    """
    if change.kind not in PROPOSED_KINDS:
        raise RefusedChangeError(f"nobody proposes that something is {change.kind.value}")
    if change.decided_by is None or change.decided_by == change.changed_by:
        raise RefusedChangeError("no other person has approved it")
    if document_sha256(document) != change.sha256_after:
        raise RefusedChangeError("the document is not the one that was approved")
    if document_digest(active) != change.digest_before:
        return _made_again(change, active, models)
    try:
        ruleset = check_ruleset(document, "ruleset", models)
        keep_to(change.kind, active.decode("utf-8-sig"), document.decode("utf-8-sig"), change.list_entries)
    except InvalidRulesetError as error:
        raise RefusedChangeError(_sentence(error.problems)) from error
    except RulesetEditError as error:
        raise RefusedChangeError(str(error)) from error
    entries = changed_entries(active.decode("utf-8-sig"), document.decode("utf-8-sig"))
    if any(each.is_masked for each in entries) and change.decided_by not in change.revealed_to:
        raise RefusedChangeError(
            "it concerns entries of lists whose values whoever approved it has not had shown"
        )
    said = {name: getattr(change, name) for name in versions(ruleset)}
    if (said, change.digest_after) != (versions(ruleset), ruleset.digest):
        raise RefusedChangeError("the row says other versions or another share than the document")
    return document, ruleset


def _made_again(change: RulesetChange, active: bytes, models: Models) -> tuple[bytes, Ruleset]:
    """Make a withdrawal from another document than the one from which it was made."""
    try:
        document = made_again(change, active, models)
    except RulesetEditError as error:
        raise RefusedChangeError(str(error)) from error
    if document is None:
        raise RefusedChangeError(
            f"it was made from ruleset {change.digest_before}, and {document_digest(active)} is active now; "
            "make it again from that"
        )
    return document, check_ruleset(document, "ruleset", models)


def _sentence(problems: tuple[RulesetProblem, ...]) -> str:
    shown = [problem.without_excerpt for problem in problems[:SHOWN_PROBLEMS]]
    more = len(problems) - len(shown)
    return "; ".join([*shown, *([f"and {more} more problems"] if more else [])])
