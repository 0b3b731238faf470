"""A change of what decides: each deployment, withdrawal, suspension and rollback of a ruleset is one row of ``ruleset_changes``.

Rows are inserted, never changed, and are kept for ever: a decision names its ruleset, and this says who made it decide, and why.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract.clock import time_text

RULESET_CHANGES_TABLE: Final = "ruleset_changes"

Digest = Annotated[str, Meta(pattern="^[0-9a-f]{12}$")]
"""As rows name a ruleset's document (:attr:`engine.rules.ruleset.Ruleset.digest`)."""

Instant = Annotated[datetime, Meta(tz=True)]
"""A moment in UTC."""

GUARDRAILS: Final = "guardrails"
"""In ``changed_by``: the function that withdraws and suspends."""


class ChangeKind(StrEnum):
    """What kind of change it is."""

    DEPLOYED = "deployed"
    """Somebody deployed a document."""
    WITHDRAWN = "withdrawn"
    """The candidate was taken out, by its guardrails or by somebody."""
    SUSPENDED = "suspended"
    """Rules were suspended that held for more payments than they may."""
    ROLLED_BACK = "rolled_back"
    """A deployment was undone, by its alarm or by somebody: an earlier document decides again."""


class RulesetChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of ``ruleset_changes``; the fields are its attributes."""

    changed_in: Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}$")]
    """Year and month of the change, UTC; the table's partition."""
    change_key: str
    """The time, 27 characters, ``#``, the digest after the change."""
    kind: ChangeKind
    """What kind of change it is."""
    changed_at: Instant
    """When, UTC: of what the guardrails did, when their alarm was raised, so that a second try makes the same row."""
    changed_by: Annotated[str, Meta(min_length=1, max_length=256)]
    """Who: the identity that deployed, or ``guardrails``."""
    reason: Annotated[str, Meta(min_length=1, max_length=4_000)]
    """Why, in words; of what the guardrails did, which figure left its band."""
    digest_before: Digest | None = None
    """The document before; None where there was none."""
    digest_after: Digest
    """The document after."""
    version_after: Annotated[str, Meta(min_length=1, max_length=64)]
    """The champion's version."""
    candidate_version: str | None = None
    """The version of the candidate in the document after; None without one."""
    candidate_share: Annotated[float, Meta(ge=0, le=50)] | None = None
    """The share of users for whom it decides, in percent."""
    withdrawn_version: str | None = None
    """The version of the candidate that was withdrawn."""
    deployment: Annotated[int, Meta(ge=1)] | None = None
    """AppConfig's number of the deployment; of a rollback, the one that was undone."""
    suspended_rule_ids: tuple[str, ...] = ()
    """Rules that were suspended, sorted; a candidate's begin with ``candidate/``."""


def change_keys(changed_at: datetime, digest_after: str) -> tuple[str, str]:
    """Give the key of a change's row.

    Parameters
    ----------
    changed_at : datetime
        Aware.
    digest_after : str
        Twelve hexadecimal digits.

    Examples
    --------
    >>> change_keys(datetime(2026, 12, 1, 9, 30, tzinfo=UTC), "0123456789ab")
    ('2026-12', '2026-12-01T09:30:00.000000Z#0123456789ab')
    """
    at = changed_at.astimezone(UTC)
    return f"{at:%Y-%m}", f"{time_text(at)}#{digest_after}"


def make_change(*, changed_at: datetime, digest_after: str, **values: object) -> RulesetChange:
    """Make a row, with its key.

    Parameters
    ----------
    changed_at : datetime
        Aware.
    digest_after : str
        Twelve hexadecimal digits.
    **values
        The other fields of :class:`RulesetChange`.

    Raises
    ------
    msgspec.ValidationError
        Naming the field that is invalid.
    """
    changed_in, change_key = change_keys(changed_at, digest_after)
    fields = {
        "changed_in": changed_in,
        "change_key": change_key,
        "changed_at": changed_at.astimezone(UTC),
        "digest_after": digest_after,
    }
    return msgspec.convert(fields | values, RulesetChange)
