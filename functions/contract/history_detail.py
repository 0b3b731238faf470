"""The JSON text ``detail`` in a row of ``transaction_history``, in each format that is stored.

:mod:`contract.scored` makes a row from a decided payment, and reads it back.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from contract.clock import TimeBasis
from contract.reason import Reason
from contract.transaction import Location, Transaction
from contract.verdict import Verdict

ROW_FORMAT = 3
"""Of the rows that are written. Rows of earlier formats are still read: format 2 knew one time of a payment and let every payment
teach; format 1, besides, had features and payment in ``detail`` under their full names."""


class StoredPayment(msgspec.Struct, frozen=True, omit_defaults=True, rename={
    "amount": "a",
    "currency": "c",
    "location": "l",
    "merchant_id": "m",
    "merchant_category": "k",
    "channel": "h",
    "card_id": "n",
    "device_id": "d",
    "ip_address": "i",
    "payee_id": "p",
    "is_currency_assumed": "u",
    "invalid_fields": "x",
}):  # fmt: skip
    """A payment without what its row's keys say: user, transaction id and event time. Stored names never change."""

    amount: Decimal
    currency: str
    location: str | Location | None = None
    merchant_id: str | None = None
    merchant_category: str | None = None
    channel: str | None = None
    card_id: str | None = None
    device_id: str | None = None
    ip_address: str | None = None
    payee_id: str | None = None
    is_currency_assumed: bool = False
    invalid_fields: tuple[str, ...] = ()


class StoredVerdict(msgspec.Struct, frozen=True, array_like=True):
    """What the side that did not decide would have decided."""

    decision: str
    risk_score: int


class HistoryDetail(msgspec.Struct, frozen=True, omit_defaults=True, rename={
    "format": "v",
    "payment": "t",
    "reasons": "r",
    "shadow_rule_ids": "s",
    "failed_rule_ids": "e",
    "feature_set": "fs",
    "profile_version": "pv",
    "degraded": "d",
    "appended_at_ms": "a",
    "basis": "b",
    "event_at": "ts",
    "repeats": "rp",
    "releases": "rl",
    "verdicts": "vd",
    "is_place_doubted": "pd",
    "amount_base": "ab",
    "base_currency": "bc",
    "is_candidates": "c",
    "other": "o",
}):  # fmt: skip
    """The JSON part of a row. Its names are short, since every row has them, and never change."""

    format: int
    """Version of the row's form, :data:`ROW_FORMAT`."""
    payment: StoredPayment
    """The payment, without what the row's keys say."""
    reasons: tuple[Reason, ...] = ()
    """Live rules that gave points, the most points first."""
    shadow_rule_ids: tuple[str, ...] = ()
    """Shadow rules that would have fired."""
    failed_rule_ids: tuple[str, ...] = ()
    """Rules that could not be evaluated."""
    feature_set: str = ""
    """Version of the catalogue."""
    profile_version: int = 0
    """How many transactions the user's profile held before."""
    degraded: bool = False
    """True where the profile came from history because the cache could not be used."""
    appended_at_ms: int = 0
    """When Kafka took the record, ms since the epoch."""
    basis: TimeBasis = TimeBasis.BELIEVED
    """Which time of the payment was believed; in format 2 each was trusted."""
    event_at: datetime | None = None
    """The event time as the sender claims it, where it is not that of the row's key."""
    repeats: int = 0
    """64 bits of the payment that this one repeats."""
    releases: tuple[int, ...] = ()
    """64 bits each of reviewed payments that teach from this one on."""
    verdicts: tuple[Verdict, ...] = ()
    """Verdicts that are applied from this payment on."""
    is_place_doubted: bool = False
    """The payment does not say where its user is."""
    amount_base: Decimal | None = None
    """The amount in the base currency; only where the payment was not approved."""
    base_currency: str | None = None
    """The ruleset's base currency; only where the payment was not approved."""
    is_candidates: bool = False
    """The ruleset's candidate decided, not the champion."""
    other: StoredVerdict | None = None
    """Decision and score of the side that did not decide; None where the ruleset has one side, or the payment repeats another one."""


class HistoryDetailV1(msgspec.Struct, frozen=True):
    """The JSON part of a row of format 1."""

    t: Transaction
    r: tuple[Reason, ...] = ()
    s: tuple[str, ...] = ()
    e: tuple[str, ...] = ()
    f: tuple[bool | int | float | str, ...] = ()
    fs: str = ""
    pv: int = 0
    d: bool = False
    a: int = 0
