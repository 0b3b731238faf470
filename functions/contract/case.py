"""A case: what is decided on together. One row of ``cases``, and rows of ``case_links`` that lead to it.

A user has at most one case that is not closed, and it is always the newest. The stage `case` makes cases from flagged payments;
people work on them by the steps of :mod:`contract.case_work`. Every write is made over exactly one version of the row.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple
from zlib import crc32

import msgspec
from msgspec import Meta

from contract.alert import RiskScore, Severity
from contract.clock import Instant, time_text
from contract.flagged import CONFIRMED_FRAUD, FALSE_POSITIVE
from contract.items import Item, from_item, to_item

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from contract.flagged import FlaggedTransaction

CASES_TABLE: Final = "cases"
CASE_LINKS_TABLE: Final = "case_links"

QUEUE_INDEX: Final = "by_queue"
"""Index of the cases that are not closed, the most urgent first in each shard."""
QUEUE_SHARDS: Final = 8
"""In how many partitions of the index they are. One takes 1,000 write units a second."""
REASONS_INDEX: Final = "by_reasons"
"""Index of the closed cases by their two strongest reasons."""
SECOND_LOOK_INDEX: Final = "by_second_look"
"""Index of the cases that a second person is to look at."""
SECOND_LOOK_DUE: Final = "due"
"""Its only partition. They are few: only much money makes it necessary."""

MAX_PAYMENTS: Final = 20
"""Payments whose keys a case holds: the gravest. The rest is counted; the rows of ``flagged_transactions`` name their case."""
MAX_ENTITIES: Final = 40
"""Entities that a case is linked to, the first ones that it has met."""
MAX_ALERTS: Final = 10
"""Alerts whose ids a case holds, the latest ones by the time of their payments. The rest is counted; every one has its link."""
MAX_REASONS: Final = 5
"""Rules that a case holds, those with the most points."""
MAX_SKIPS: Final = 64
"""People who have skipped a case and are remembered, the latest ones."""

LINKED_KINDS: Final = frozenset("cdimp")
"""Kinds of entities (:data:`contract.entity_ids.KIND_LETTERS`) that link cases. A network links strangers."""

_OWNER_BYTES: Final = 16
_CASE_ID: Final = re.compile(r"([0-9a-f]{32})-([1-9][0-9]{0,8})")
_ALERT_LINK: Final = "alert#"


class CaseStatus(StrEnum):
    """How far people are with a case."""

    OPEN = "open"
    """Nobody works on it."""
    CLAIMED = "claimed"
    """Somebody works on it, until the lease ends."""
    CLOSED = "closed"


class CaseVerdict(StrEnum):
    """How a case ended."""

    FRAUD = "fraud"
    LEGITIMATE = "legitimate"
    MIXED = "mixed"
    """Some of its payments were fraud, others were not."""


class Judgement(StrEnum):
    """What a case counts a payment as."""

    UNDECIDED = "undecided"
    FRAUD = "fraud"
    LEGITIMATE = "legitimate"

    @classmethod
    def of(cls, status: str) -> Judgement:
        """Read the status of a flagged row; whatever no label has decided is undecided."""
        return {CONFIRMED_FRAUD: cls.FRAUD, FALSE_POSITIVE: cls.LEGITIMATE}.get(status, cls.UNDECIDED)


class CaseKey(NamedTuple):
    """Key of a row of ``cases``."""

    case_owner: str
    """Of :func:`owner_of`."""
    case_number: int
    """1 for the user's first case."""

    @property
    def case_id(self) -> str:
        """The case's name in addresses and logs; it holds no user id."""
        return f"{self.case_owner}-{self.case_number}"


class Tally(msgspec.Struct, frozen=True, omit_defaults=True):
    """Payments and their money."""

    payments: int = 0
    amount_base: Decimal = Decimal(0)
    """Sum in major units of the case's base currency; payments without a rate are left out."""


class CasePayment(msgspec.Struct, frozen=True, order=True):
    """A payment of a case; graver ones are greater."""

    risk_score: RiskScore
    amount_base: Decimal
    """Major units of the case's base currency, 0 without a rate."""
    event_key: str
    """With the case's user the key of its rows."""


class CaseAlert(msgspec.Struct, frozen=True, order=True):
    """An alert on a payment of a case."""

    event_key: str
    """Of the payment; begins with its time."""
    alert_id: str


class Skip(msgspec.Struct, frozen=True):
    """Somebody does not want a case."""

    analyst: str
    until: Instant
    """Until then the queue does not offer it to this person."""


class Handover(msgspec.Struct, frozen=True):
    """The latest time that a case was released or reassigned, for whoever has it next."""

    by: str
    at: Instant
    reason: str


class SecondLook(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody else is to look at a case too, because much money was called legitimate, or a payment without a rate."""

    since: Instant
    """Since when it is due."""
    released: Tally = Tally()
    """What the latest decision has made legitimate in all, in this case and in the user's earlier ones that count with it."""
    by: str | None = None
    """Who has agreed; never a person who has decided on the case, or one of ``others``."""
    at: Instant | None = None
    others: tuple[str, ...] = ()
    """Who has decided on the earlier cases of ``released``, in the order of their ids."""
    version: int = 0
    """Of the case, when something was released last. Who agrees names it: more may have been released since they have seen it."""
    is_contested: bool = False
    """Whether a second person has withdrawn what released the money, and decides anew. If labels of others close the case, the look is due."""

    @property
    def is_due(self) -> bool:
        """Whether nobody has agreed yet."""
        return self.by is None


class Case(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of ``cases``; the fields are its attributes."""

    case_owner: str
    case_number: Annotated[int, Meta(ge=1)]
    """With ``case_owner`` the key; the user's cases in order."""
    version: Annotated[int, Meta(ge=1)]
    """Every write is made over the version before."""
    user_id: str
    status: CaseStatus
    severity: Severity
    """The highest of its payments."""
    priority: Annotated[int, Meta(ge=1, le=9)]
    """1, the most urgent, to 4: from money at risk and severity, as they are now."""
    opened_at: Instant
    due_at: Instant
    """When it is to be decided: from money and severity when the case opens, and earlier where they have made it more urgent since."""
    expires_at: int
    """When DynamoDB may delete it, seconds since the epoch: with the last of its payments' rows."""
    base_currency: str | None = None
    """Of its sums: that of its first payment that has a rate."""
    undecided: Tally = Tally()
    fraud: Tally = Tally()
    legitimate: Tally = Tally()
    unpriced: int = 0
    """Payments that are in no sum: without a rate, or in another base currency."""
    payments: tuple[CasePayment, ...] = ()
    """The gravest, at most :data:`MAX_PAYMENTS`, gravest first."""
    reasons: dict[str, int] = {}
    """Rule to the most points that it gave to one of the payments; at most :data:`MAX_REASONS`."""
    entities: tuple[str, ...] = ()
    """What it is linked to, as :func:`contract.entity_ids.entity_name` writes it."""
    alerts: tuple[CaseAlert, ...] = ()
    """The latest, at most :data:`MAX_ALERTS`, latest first."""
    alert_count: int = 0
    """All of them."""
    assignee: str | None = None
    """Who works on it; of a case that labels have closed, who did then."""
    lease_until: Instant | None = None
    """Until when; from then on anybody may claim it."""
    skips: tuple[Skip, ...] = ()
    handover: Handover | None = None
    verdict: CaseVerdict | None = None
    closed_at: Instant | None = None
    closed_by: str | None = None
    """None where labels decided on all payments and nobody closed it."""
    decided_by: tuple[str, ...] = ()
    """Everybody who has decided on its payments, in the order of their ids, also those whose decisions are undone."""
    second_look: SecondLook | None = None
    """Of a case by which much money was released, closed or not."""

    @property
    def key(self) -> CaseKey:
        """Key of its row."""
        return CaseKey(self.case_owner, self.case_number)

    @property
    def case_id(self) -> str:
        """Its name."""
        return self.key.case_id

    @property
    def is_closed(self) -> bool:
        """Whether nothing is left to decide."""
        return self.status is CaseStatus.CLOSED

    @property
    def is_look_due(self) -> bool:
        """Whether a second person is to look at it; not while one who has contested it can decide."""
        look = self.second_look
        return look is not None and look.is_due and (self.is_closed or not look.is_contested)

    @property
    def deciders(self) -> frozenset[str]:
        """Who is not its second person: everybody who has decided on it, or on an earlier case whose money is looked at with its own."""
        closed_by = () if self.closed_by is None else (self.closed_by,)
        others = () if self.second_look is None else self.second_look.others
        return frozenset((*closed_by, *self.decided_by, *others))

    @property
    def payment_count(self) -> int:
        """All of its payments."""
        return self.undecided.payments + self.fraud.payments + self.legitimate.payments

    @property
    def at_risk_base(self) -> Decimal:
        """Money of the payments that nobody has called legitimate, major units of ``base_currency``."""
        return self.undecided.amount_base + self.fraud.amount_base

    @property
    def strongest_reasons(self) -> tuple[str, ...]:
        """Its rules, most points first."""
        return tuple(sorted(self.reasons, key=lambda rule_id: (-self.reasons[rule_id], rule_id)))


class QueuedCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case as the queue's index has it; the fields are those of :class:`Case`."""

    case_owner: str
    case_number: int
    queue_key: str
    """Its place: of :func:`queue_key`."""
    user_id: str
    status: CaseStatus
    severity: Severity
    priority: int
    opened_at: Instant
    due_at: Instant
    undecided: Tally = Tally()
    fraud: Tally = Tally()
    base_currency: str | None = None
    assignee: str | None = None
    lease_until: Instant | None = None
    skips: tuple[Skip, ...] = ()

    @property
    def key(self) -> CaseKey:
        """Key of its row."""
        return CaseKey(self.case_owner, self.case_number)


def owner_of(user_id: str) -> str:
    """Partition of a user's cases: 32 hexadecimal digits, a hash in place of the user id.

    It keeps ids out of addresses, and does not keep anybody from guessing: whoever has a list of user ids can find out which of them an address names. Who sees
    such an address sees the id as well, in the alert that has the link or on the page that it opens, and access logs have no paths. With a key, every function
    that writes or reads cases would need one more secret, and a table under one key could not be read under another. They may not read the key of card tokens,
    by decision 0015.

    >>> owner_of("user-1")
    '80048216f18b6e4f9049b00fb70d7d1f'
    """
    return blake2b(user_id.encode(), digest_size=_OWNER_BYTES, person=b"case owner").hexdigest()


def parse_case_id(case_id: str) -> CaseKey:
    """Read a case's name.

    >>> parse_case_id("80048216f18b6e4f9049b00fb70d7d1f-3").case_number
    3

    Raises
    ------
    ValueError
        For text of another form.
    """
    match = _CASE_ID.fullmatch(case_id)
    if match is None:
        raise ValueError("no case's name")
    return CaseKey(match[1], int(match[2]))


def alert_link(alert_id: str) -> str:
    """Name of an alert or a digest among the entities of ``case_links``; no entity's name has such a form."""
    return f"{_ALERT_LINK}{alert_id}"


def is_undecided(flagged: FlaggedTransaction) -> bool:
    """Whether nobody has said yet what a flagged payment was."""
    return Judgement.of(flagged.status) is Judgement.UNDECIDED


def linked_entities(flagged: FlaggedTransaction) -> tuple[str, ...]:
    """The entities of a payment that link its case to others: card, device, address, merchant, payee."""
    return tuple(name for name in flagged.entity_ids if name[:1] in LINKED_KINDS)


def queue_shard(key: CaseKey) -> int:
    """Partition of a case in the queue's index, 0 to :data:`QUEUE_SHARDS` - 1."""
    return crc32(key.case_id.encode()) % QUEUE_SHARDS


def queue_key(priority: int, due_at: datetime) -> str:
    """Place of a case in its shard: by priority, then by when it is due.

    >>> from datetime import UTC, datetime
    >>> queue_key(2, datetime(2026, 3, 1, 12, tzinfo=UTC))
    '2#2026-03-01T12:00:00.000000Z'
    """
    return f"{priority}#{time_text(due_at)}"


def reasons_key(rule_ids: tuple[str, ...]) -> str:
    """Partition of a closed case in the index by reasons: its two strongest rules, whichever is stronger."""
    return "+".join(sorted(rule_ids[:2]))


def to_case_key(key: CaseKey) -> Item:
    """Write a row's key in DynamoDB's wire form."""
    return {"case_owner": {"S": key.case_owner}, "case_number": {"N": str(key.case_number)}}


def to_case_item(case: Case) -> Item:
    """Write the row in DynamoDB's wire form, with the attributes of its indexes."""
    item = to_item(case)
    if case.is_look_due and case.second_look is not None:
        item["second_look_state"] = {"S": SECOND_LOOK_DUE}
        item["second_look_since"] = {"S": time_text(case.second_look.since)}
    if case.is_closed:
        if case.reasons:
            item["reasons_key"] = {"S": reasons_key(case.strongest_reasons)}
        return item
    place = queue_key(case.priority, case.due_at)
    return item | {"queue_shard": {"N": str(queue_shard(case.key))}, "queue_key": {"S": place}}


def from_case_item(item: Mapping[str, Any]) -> Case:
    """Read a row back; InvalidRowError names the attribute that is missing or cannot be read."""
    return from_item(CASES_TABLE, item, Case)


def from_queued_item(item: Mapping[str, Any]) -> QueuedCase:
    """Read an entry of the queue's index; InvalidRowError names the attribute that is missing or cannot be read."""
    return from_item(CASES_TABLE, item, QueuedCase)


def to_link_item(name: str, case: Case) -> Item:
    """Write a row of ``case_links``: a case that has met an entity or an alert. Its key is the same however often it is written."""
    return {
        "entity_id": {"S": name},
        "link_key": {"S": f"{time_text(case.opened_at)}#{case.case_id}"},
        "case_id": {"S": case.case_id},
        "opened_at": {"S": time_text(case.opened_at)},
        "expires_at": {"N": str(case.expires_at)},
    }
