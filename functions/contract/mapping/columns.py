"""Finds the contract's field for a column of a file, by the column's name alone.

Names are compared without case, spaces, dashes or camel humps: ``transactionId``, ``Transaction ID`` and
``transaction-id`` are one. The table below holds every synonym; to add one, add a word to it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "transaction_id": ("txn_id", "trans_id", "trans_num", "payment_id", "tx_id", "id"),
    "user_id": ("customer_id", "client_id", "cardholder_id", "account_id", "user", "customer"),
    "amount": ("amt", "transaction_amount", "txn_amount", "amount_value", "value"),
    "currency": ("currency_code", "ccy", "curr"),
    "timestamp": (
        "ts",
        "event_time",
        "event_timestamp",
        "transaction_time",
        "transaction_timestamp",
        "transaction_date",
        "created_at",
        "date_time",
        "datetime",
        "time",
    ),
    "location": ("place",),
    "latitude": ("lat", "location_lat", "location_latitude"),
    "longitude": ("lon", "long", "lng", "location_lon", "location_long", "location_longitude"),
    "country": ("country_code", "location_country"),
    "city": ("town", "location_city"),
    "merchant_id": ("merchant", "merchant_name", "store_id"),
    "merchant_category": ("category", "mcc", "merchant_category_code", "merchant_type"),
    "channel": ("transaction_channel", "entry_mode"),
    "card_id": ("card_number", "card", "pan", "cc_num", "credit_card_number", "card_no", "card_token"),
    "device_id": ("device", "device_fingerprint"),
    "ip_address": ("ip", "ip_addr", "client_ip"),
    "payee_id": ("payee", "beneficiary", "beneficiary_id", "recipient", "recipient_id"),
}
"""Field to its synonyms, the most specific first: where a row has two of them, the earlier one counts."""

LABEL_SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "transaction_id": ("txn_id", "trans_id", "trans_num", "payment_id", "tx_id", "original_transaction_id"),
    "verdict": ("label",),
    "source": ("label_source",),
    "fraud_type": ("fraud_category", "fraud_kind"),
    "confidence": ("label_confidence",),
    "known_at": ("reported_at", "report_time", "label_time", "labelled_at", "labeled_at"),
    "user_id": ("customer_id", "client_id", "cardholder_id", "account_id", "user", "customer"),
    "timestamp": (
        "event_time",
        "event_timestamp",
        "transaction_time",
        "transaction_timestamp",
        "transaction_date",
    ),
    "event_key": (),
    "label_id": (),
    "withdraws": ("withdraws_label_id",),
}
"""The same for a file of labels. ``id``, ``date`` and ``time`` are not among them: they can be the payment's or the label's."""

LOCATION_PARTS: Final = ("latitude", "longitude", "country", "city")
"""Fields that are inside ``location`` on the topic."""

_MAX_CHARACTERS: Final = 64
"""Longer names are not known: no known name has so many characters in any spelling, and long ones would fill the cache."""

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_WORD: Final = re.compile(r"[^a-z0-9]+")


class Column(NamedTuple):
    """A known column."""

    field: str
    rank: int
    """0 for the field's own name, then its synonyms in order; the lowest of a row counts."""


def _by_name(synonyms: dict[str, tuple[str, ...]]) -> dict[str, Column]:
    return {
        name: Column(field, rank)
        for field, others in synonyms.items()
        for rank, name in enumerate((field, *others))
    }


_COLUMNS: Final = _by_name(SYNONYMS)
_LABEL_COLUMNS: Final = _by_name(LABEL_SYNONYMS)


def known_column(name: str) -> Column | None:
    """Find the field that a column of payments holds; None where the contract has none for it.

    >>> known_column("Transaction ID")
    Column(field='transaction_id', rank=0)
    >>> known_column("userID").field, known_column("Lng").field, known_column("Comment")
    ('user_id', 'longitude', None)
    """
    return _known_column(name) if len(name) <= _MAX_CHARACTERS else None


def known_label_column(name: str) -> Column | None:
    """Find the field that a column of labels holds; None where the contract has none for it.

    >>> known_label_column("Fraud Type").field, known_label_column("reportedAt").field, known_label_column("id")
    ('fraud_type', 'known_at', None)
    """
    return _known_label_column(name) if len(name) <= _MAX_CHARACTERS else None


@lru_cache(maxsize=4096)
def _known_column(name: str) -> Column | None:
    return _COLUMNS.get(_words(name))


@lru_cache(maxsize=4096)
def _known_label_column(name: str) -> Column | None:
    return _LABEL_COLUMNS.get(_words(name))


def _words(name: str) -> str:
    return _NOT_WORD.sub("_", _HUMP.sub("_", name.strip()).lower()).strip("_")
