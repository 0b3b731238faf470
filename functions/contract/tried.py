"""What the replay function is asked about a proposed ruleset, and what it finds: what the ruleset would have said of stored payments. Pure."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract.ruleset_change import Digest, Sha256

TRIAL: Final = "job_id"
"""Field of a request that another request of the function does not have."""

_ID_DIGITS: Final = 32


class TryRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Compare a proposed ruleset with the one from which it was made, on payments of the last days."""

    proposal: Sha256
    digest_before: Digest
    is_candidate: bool
    """Whether the candidate in the proposed document is compared with the active champion, for all users; else what decides for each of them,
    champion or candidate, is compared with what decides now."""
    days: Annotated[int, Meta(ge=1, le=90)] = 7

    @property
    def trial_id(self) -> str:
        """Names the comparison: the same documents and days have the same one, whoever asks."""
        parts = f"{self.proposal}#{self.digest_before}#{int(self.is_candidate)}#{self.days}"
        return sha256(parts.encode()).hexdigest()[:_ID_DIGITS]


class TryJob(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a comparison; the function works on it after it was asked."""

    job_id: str
    """Random."""
    request: TryRequest


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """Payments of some kind."""

    before: int
    after: int
    times: float
    """After by before."""
    interval: tuple[float, float] | None = None
    """Between these it lies in 95 cases of 100, for all users; None where all users were read, or neither has any payment."""
    before_cents: int
    after_cents: int
    """Their value, in hundredths of the base currency."""


class TriedExample(msgspec.Struct, frozen=True, kw_only=True):
    """A payment on which both do not agree."""

    user_id: str
    event_key: str
    """With the user, the key of its row."""
    cents: int
    """Its value, in hundredths of the base currency."""
    before: str
    before_score: int
    after: str
    after_score: int
    """Decision and score of each."""
    verdict: str = ""
    """``fraud`` or ``legitimate``, by the label that counts; empty where nobody has said anything."""
    case_id: str = ""
    """The case that it is in; empty where it is in none."""


class RuleChange(msgspec.Struct, frozen=True):
    """Payments that only one of the two reviews or blocks, by a rule of that one."""

    rule_id: str
    payments: int
    cents: int
    examples: tuple[TriedExample, ...] = ()
    """The latest ones, the last one last."""


class KnownVerdicts(msgspec.Struct, frozen=True, kw_only=True):
    """What people and institutions have said of the payments that were read."""

    frauds: int
    """Payments that count as fraud, whether or not somebody flags them."""
    fraud_cents: int
    found: Rate
    """Of these, reviewed or blocked."""
    found_only_before: int
    found_only_after: int
    false_alarms: Rate
    """Payments that count as legitimate and are reviewed or blocked. Known of those alone that were reviewed or blocked when they came."""
    is_whole: bool = True
    """False where more payments are flagged than are looked up for :attr:`false_alarms`."""


class TryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison; while the job runs, how far it is."""

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
    known: KnownVerdicts | None = None
    why_not: str = ""
    """A sentence: why nothing could be compared."""
