"""A change of what decides: each is one row of ``ruleset_changes``.

What people want is proposed, approved by somebody else, and then deployed by a function; the row says how far it is. What guardrails do, and what
somebody has deployed past all this, is inserted as it was done. Rows are kept for ever: a decision names its ruleset, and this says who made it decide, and why.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract.clock import time_text
from contract.text import MAX_TEXT

RULESET_CHANGES_TABLE: Final = "ruleset_changes"

OPEN_INDEX: Final = "by_open"
"""The index of rows at which something is still to be done."""
OPEN: Final = "open"
"""Its only partition."""

Digest = Annotated[str, Meta(pattern="^[0-9a-f]{12}$")]
"""As rows name a ruleset's document (:attr:`engine.rules.ruleset.Ruleset.digest`)."""

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
"""Names a document where nobody may be able to make another one of the same name: twelve digits can be met by trying."""

Instant = Annotated[datetime, Meta(tz=True)]
"""A moment in UTC."""

Person = Annotated[str, Meta(min_length=1, max_length=256)]
"""Who: the id that the identity provider gives, an identity's ARN, ``github/<login>``, or ``guardrails``."""

MAX_REASON: Final = 4_000
"""Characters."""

Reason = Annotated[str, Meta(min_length=1, max_length=MAX_REASON)]
"""Why, in words."""

Version = Annotated[str, Meta(min_length=1, max_length=64)]
"""The version that a ruleset's document names."""

Share = Annotated[float, Meta(ge=0, le=50)]
"""Percent of the users."""

GUARDRAILS: Final = "guardrails"
"""In ``changed_by``: the function that withdraws and suspends."""

DEPLOYMENT_MARK: Final = "change "
"""How the description of a deployment begins that has a row; the row's id follows."""

MAX_LIST_ENTRIES: Final = 200
"""The most entries that one change adds to lists: a row has 400 kB at most. More come with a whole document."""


class ChangeKind(StrEnum):
    """What kind of change it is."""

    TO_ALL = "to_all"
    """Somebody wants a ruleset to decide for all users; a candidate is replaced with it."""
    SHADOW = "shadow"
    """Somebody wants a ruleset to be evaluated beside the active one, and to decide for nobody."""
    CANDIDATE = "candidate"
    """Somebody wants a ruleset to decide for a share of the users."""
    LISTS = "lists"
    """Somebody wants entries in lists of the active ruleset. All else stays."""
    WITHDRAWN = "withdrawn"
    """The candidate was taken out, by its guardrails or by somebody."""
    SUSPENDED = "suspended"
    """Rules were suspended that held for more payments than they may."""
    ROLLED_BACK = "rolled_back"
    """A deployment was undone, by its alarm or by somebody: an earlier document decides again."""
    DEPLOYED = "deployed"
    """Somebody deployed a document that nobody had approved here: the first one, or with an administrator's rights."""


PROPOSED_KINDS: Final = frozenset(
    {ChangeKind.TO_ALL, ChangeKind.SHADOW, ChangeKind.CANDIDATE, ChangeKind.LISTS, ChangeKind.WITHDRAWN}
)
"""What people can propose."""


class ChangeState(StrEnum):
    """How far a change is."""

    PROPOSED = "proposed"
    """It waits for another person."""
    APPROVED = "approved"
    """It waits for the function that deploys."""
    DEPLOYING = "deploying"
    """Its deployment is under way, or about to start."""
    DEPLOYED = "deployed"
    """It was made."""
    FAILED = "failed"
    """It was approved, and not made; ``failure`` says why."""
    REJECTED = "rejected"
    """Another person does not want it."""
    RETRACTED = "retracted"
    """Its author does not want it any more."""


OPEN_STATES: Final = frozenset({ChangeState.PROPOSED, ChangeState.APPROVED, ChangeState.DEPLOYING})
"""Something is still to be done."""


class ListEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry that a change adds to a list."""

    list_name: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
    """A list that the ruleset has."""
    value: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
    """A merchant, a device, ...; personal, so no log and no address has it."""
    until: Annotated[str, Meta(min_length=10, max_length=40)] | None = None
    """A date, which is included, or a time with its zone; None for ever."""
    note: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)] | None = None
    """Why, or from which case."""


class RulesetChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of ``ruleset_changes``; the fields are its attributes."""

    changed_in: Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}$")]
    """Year and month of the change, UTC; the table's partition."""
    change_key: str
    """The time, 27 characters, ``#``, the digest after the change."""
    kind: ChangeKind
    """What kind of change it is."""
    state: ChangeState = ChangeState.DEPLOYED
    """How far it is."""
    open_in: str | None = None
    """:data:`OPEN` while something is to be done."""
    changed_at: Instant
    """When it was proposed, UTC; of what the guardrails did, when they did it; of what somebody deployed, when that began."""
    changed_by: Person
    """Who has proposed it, ``guardrails``, or who has deployed it."""
    reason: Reason
    """Why, in words; of what the guardrails did, which figure left its band."""
    digest_before: Digest | None = None
    """The document from which it was made; None where there was none."""
    digest_after: Digest
    """The document after."""
    sha256_after: Sha256 | None = None
    """The same document by its whole digest; of what was proposed."""
    version_after: Version
    """The champion's version."""
    candidate_version: str | None = None
    """The version of the candidate in the document after; None without one."""
    candidate_share: Share | None = None
    """The share of users for whom it decides, in percent; 0 in shadow."""
    withdrawn_version: str | None = None
    """The version of the candidate that was withdrawn; of a stop by the guardrails, of the one that is withdrawn next, because the document before has it too."""
    list_entries: Annotated[tuple[ListEntry, ...], Meta(max_length=MAX_LIST_ENTRIES)] = ()
    """What was added to lists."""
    suspended_rule_ids: tuple[str, ...] = ()
    """Rules that were suspended, sorted; a candidate's begin with ``candidate/``."""
    changes_masked: bool = False
    """Whether it concerns entries of lists whose values pages mask: nobody approves it who has not had them shown."""
    revealed_to: tuple[Person, ...] = ()
    """Who has had its values shown, while it waited."""
    decided_by: Person | None = None
    """Who has approved, rejected or retracted it."""
    decided_at: Instant | None = None
    """When, UTC."""
    decision_note: Reason | None = None
    """What this person says to it."""
    begun_after: Annotated[int, Meta(ge=0)] | None = None
    """AppConfig's number of the newest deployment when this one was to begin: it begins as the next one, or not at all."""
    digest_deployed: Digest | None = None
    """The document that was deployed, where it is not that of ``digest_after``: a withdrawal is made again from the document that decides."""
    deployment: Annotated[int, Meta(ge=1)] | None = None
    """AppConfig's number of the deployment; of a rollback, the one that was undone."""
    ended_at: Instant | None = None
    """When it was deployed, or was seen to have failed, UTC."""
    failure: Reason | None = None
    """Why an approved change was not made."""

    @property
    def change_id(self) -> str:
        """Names the change in an address: nothing personal is in it.

        Examples
        --------
        >>> at = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
        >>> change = make_change(changed_at=at, digest_after="0123456789ab", kind="shadow", changed_by="ann", reason="a try", version_after="1")
        >>> change.change_id
        '20261201T093000000000Z-0123456789ab'
        """
        return f"{self.changed_at.astimezone(UTC).strftime(_ID_TIME)}-{self.digest_after}"

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self.state in OPEN_STATES

    @property
    def was_deployed(self) -> bool:
        """Whether its document has decided about payments, if only of some processes: a deployment of it has begun."""
        return self.state is ChangeState.DEPLOYED or self.deployment is not None

    @property
    def deployed_digest(self) -> str:
        """The document that its deployment brings."""
        return self.digest_deployed or self.digest_after

    @property
    def deployment_mark(self) -> str:
        """How the description of its deployment begins in AppConfig: by this a deployment is known as that of this change."""
        return f"{DEPLOYMENT_MARK}{self.change_id}:"


_ID_TIME: Final = "%Y%m%dT%H%M%S%fZ"


def cut_reason(text: str) -> str:
    """Cut a reason that was put together, such as of many rules, to the length that a row takes.

    Examples
    --------
    >>> cut_reason("too many alerts")
    'too many alerts'
    >>> len(cut_reason("x" * 5_000)), cut_reason("x" * 5_000)[-3:]
    (4000, 'xx…')
    """
    return text if len(text) <= MAX_REASON else text[: MAX_REASON - 1] + "…"


def document_sha256(document: bytes) -> str:
    """SHA-256 of a document in UTF-8 without a byte order mark, 64 hexadecimal digits."""
    return hashlib.sha256(document).hexdigest()


def document_digest(document: bytes) -> str:
    """How rows name a document: the first 12 hexadecimal digits of the SHA-256 of its text.

    Examples
    --------
    >>> document_digest(b"rules: []")
    '00eb8a0ecfec'
    """
    return document_sha256(document.removeprefix(b"\xef\xbb\xbf"))[:12]


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
    text = time_text(changed_at.astimezone(UTC))
    return text[:7], f"{text}#{digest_after}"


def keys_of(change_id: str) -> tuple[str, str] | None:
    """Give the key of the row that an id names; None where it is no id.

    Examples
    --------
    >>> keys_of("20261201T093000000000Z-0123456789ab")
    ('2026-12', '2026-12-01T09:30:00.000000Z#0123456789ab')
    >>> keys_of("20261301T093000000000Z-0123456789ab")
    """
    time, _, digest = change_id.partition("-")
    try:
        at = datetime.strptime(time, _ID_TIME).replace(tzinfo=UTC)
        keys = change_keys(at, msgspec.convert(digest, Digest))
    except (ValueError, msgspec.ValidationError):
        return None
    return keys


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
