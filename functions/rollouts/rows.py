"""What rows of ``ruleset_changes`` say of a ruleset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.active_ruleset import ACTIVE, ActiveRuleset

if TYPE_CHECKING:
    from datetime import datetime

    from engine.rules.ruleset import Ruleset


def versions(ruleset: Ruleset) -> dict[str, object]:
    """Versions of both sides and the candidate's share, as fields of :class:`contract.ruleset_change.RulesetChange`."""
    candidate = ruleset.candidate
    return {
        "version_after": ruleset.version,
        "candidate_version": None if candidate is None else candidate.ruleset.version,
        "candidate_share": None if candidate is None else candidate.draw.share_percent,
    }


def active_row(
    deployment: int, position: int, since: datetime, ruleset: Ruleset, appconfig: str | None = None
) -> ActiveRuleset:
    """Make the row that says which ruleset is active.

    Parameters
    ----------
    deployment : int
        AppConfig's number of the one that brought it.
    position : int
        See :func:`contract.active_ruleset.active_position`.
    since : datetime
        UTC.
    ruleset : Ruleset
        The active document's.
    appconfig : str | None
        See :attr:`rollouts.deployments.Deployments.place`.
    """
    candidate = ruleset.candidate
    return ActiveRuleset(
        changed_in=ACTIVE,
        change_key=ACTIVE,
        digest=ruleset.digest,
        version=ruleset.version,
        candidate_version=None if candidate is None else candidate.ruleset.version,
        candidate_share=None if candidate is None else candidate.draw.share_percent,
        deployment=deployment,
        position=position,
        appconfig=appconfig,
        since=since,
    )
