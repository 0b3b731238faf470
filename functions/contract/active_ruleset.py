"""Which ruleset decides, as a row of ``ruleset_changes``: a change is approved only while the ruleset from which it was made does.

AppConfig says what decides. The row repeats it for a condition of DynamoDB. Who deploys writes it, and the guardrails compare it with AppConfig each minute.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract.ruleset_change import Digest, Instant, Share, Version

ACTIVE: Final = "active"
"""Partition and sort key of the row."""


class ActiveRuleset(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The row; the fields are its attributes."""

    changed_in: str
    change_key: str
    """Both :data:`ACTIVE`."""
    digest: Digest
    """The document that decides, or that a deployment under way brings to more and more processes."""
    version: Version
    """The champion's version."""
    candidate_version: str | None = None
    candidate_share: Share | None = None
    """The share of users for whom the candidate decides, in percent."""
    deployment: Annotated[int, Meta(ge=1)]
    """AppConfig's number of the deployment that brought it."""
    position: Annotated[int, Meta(ge=2)]
    """See :func:`active_position`; a row is written over a lower one alone."""
    appconfig: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    """Ids of AppConfig's application and environment. Where they are others, AppConfig was created anew and numbers from 1: then a lower position is written, too."""
    since: Instant
    """When that deployment began, or when a later one was undone, UTC."""


def active_position(newest_deployment: int, *, is_undone: bool) -> int:
    """Order what was seen of AppConfig.

    Somebody who looked a second ago must not write over what somebody else has seen since. Deployments are numbered. One that is undone makes an earlier
    one active again, so the number of the active one goes back, while this does not.

    Parameters
    ----------
    newest_deployment : int
        AppConfig's highest number, of a deployment that was undone, too.
    is_undone : bool
        Whether it was.

    Examples
    --------
    >>> active_position(4, is_undone=False), active_position(4, is_undone=True), active_position(5, is_undone=False)
    (8, 9, 10)
    """
    return 2 * newest_deployment + is_undone
