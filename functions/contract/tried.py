"""What the replay function is asked about a proposed ruleset, and what it answers: what the ruleset would have said of stored payments. Pure."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract.ruleset_change import Digest, Sha256

TRY: Final = "proposal"
"""Field of a request that another request of the function does not have."""


class TryRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Compare a proposed ruleset with the one from which it was made, on payments of the last days."""

    proposal: Sha256
    digest_before: Digest
    is_candidate: bool
    """Whether the candidate in the proposed document is compared with the active champion, for all users; else what decides for each of them,
    champion or candidate, is compared with what decides now."""
    days: Annotated[int, Meta(ge=1, le=90)] = 7


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """Payments of some kind."""

    before: int
    after: int
    times: float
    """After by before."""
    least: float
    most: float
    """Between these it lies in 95 cases of 100, for all users."""
    before_cents: int
    after_cents: int
    """Their value, in hundredths of the base currency."""


class RuleChange(msgspec.Struct, frozen=True):
    """Payments that only one of the two reviews or blocks, by a rule of that one."""

    rule_id: str
    payments: int
    cents: int


class TryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison."""

    payments: int = 0
    users: int = 0
    share_read: float = 0.0
    """Of the history, 0 to 1; which users are in it is chance."""
    unreadable: int = 0
    """Rows whose features this version cannot read; they are left out."""
    base_currency: str = ""
    alerts: Rate | None = None
    """Reviewed or blocked; None where no payment was read."""
    blocks: Rate | None = None
    new: tuple[RuleChange, ...] = ()
    lost: tuple[RuleChange, ...] = ()
    why_not: str = ""
    """A sentence: why nothing could be compared."""
