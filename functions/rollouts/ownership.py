"""Whose a deployment is. Its description names a change, but whoever deploys writes that, so its document must be the one that this change brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.ruleset_change import ChangeKind, document_sha256
from engine.errors import InvalidRulesetError, RulesetEditError
from engine.rollout.edits import without_candidate
from engine.rules.check import check_ruleset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from contract.ruleset_change import RulesetChange
    from engine.rules.model_section import Models
    from rollouts.deployments import Deployment


def is_of_change(
    change: RulesetChange,
    deployment: Deployment,
    before: Callable[[int], Sequence[Deployment]],
    models: Models,
) -> bool:
    """Whether a deployment brings what was approved.

    Parameters
    ----------
    change : RulesetChange
        Approved, and begun.
    deployment : Deployment
        Perhaps its own.
    before : Callable[[int], Sequence[Deployment]]
        See :meth:`rollouts.deployments.Deployments.before`; asked only about a withdrawal that was made again.
    models : Models
        Gives the documents of models.

    Raises
    ------
    ModelUnreachableError
        Where a model could not be fetched; another try may succeed.
    """
    if not deployment.description.startswith(change.deployment_mark):
        return False
    if document_sha256(deployment.document) == change.sha256_after:
        return True
    if change.kind is not ChangeKind.WITHDRAWN:
        return False
    # From the one that decided: what was undone between them must not come back under its name.
    made_from = before(deployment.number)[-1:]
    return any(_made_again(change, each.document, models) == deployment.document for each in made_from)


def has_withdrawn(change: RulesetChange, active: bytes, models: Models) -> bool:
    """Whether a change is a withdrawal, and a document has the candidate that it withdraws."""
    if change.kind is not ChangeKind.WITHDRAWN or change.withdrawn_version is None:
        return False
    candidate = check_ruleset(active, "the active ruleset", models).candidate
    return candidate is not None and candidate.ruleset.version == change.withdrawn_version


def made_again(change: RulesetChange, active: bytes, models: Models) -> bytes | None:
    """Make a withdrawal from another document than the one from which it was made.

    Parameters
    ----------
    change : RulesetChange
        A withdrawal, or any other change.
    active : bytes
        The document that decides.
    models : Models
        Gives the documents of models.

    Returns
    -------
    bytes | None
        The document without the candidate. Where a withdrawal has begun, and the document does not have it, the document as it is: the withdrawal's own
        first step has stopped the candidate's deployment. None where the change cannot be made from this document.

    Raises
    ------
    InvalidRulesetError, RulesetEditError
        Where the document is not one from which a candidate can be taken out.
    """
    if has_withdrawn(change, active, models):
        return without_candidate(active.decode("utf-8-sig")).encode()
    return active if change.kind is ChangeKind.WITHDRAWN and change.begun_after is not None else None


def _made_again(change: RulesetChange, active: bytes, models: Models) -> bytes | None:
    try:
        return made_again(change, active, models)
    except (InvalidRulesetError, RulesetEditError):
        return None
