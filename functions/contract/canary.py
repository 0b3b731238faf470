"""The canary: small payments of reserved users that go through the whole system, to show that it works.

Nobody is exempted from anything by a name. A payment of a reserved user is a canary only if the ingestion job read it in the canary's
own folder and declared it by a header of its record, and only if it is exactly a canary's payment: one dollar, to nobody, at no
merchant, with no card. Anything else under a reserved user is refused, so a row of a reserved user is always a canary's. Whoever
counts payments, opens cases or keeps the state of entities and labels leaves out the rows for which :func:`is_canary` holds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from contract.errors import InvalidTransactionError
from contract.transaction import Transaction

CANARY_FOLDER: Final = "canary"
"""Folder below the landing path; no mapping may be for it."""

CANARY_HEADER: Final = "canary"
"""Name of the record header with which the ingestion job declares what it read in that folder."""

CANARY_HEADER_VALUE: Final = b"1"
"""Its value."""

CANARY_ATTRIBUTE: Final = "canary"
"""Attribute of a canary's message on the alert topic. Every other subscription filters it out."""

CANARY_RULE_ID: Final = "canary"
"""In the reasons of a canary that is flagged; no rule of a ruleset."""

RESERVED: Final = "reserved for the canary"
"""Begins the reason of a payment that is refused because of its user."""

CANARY_TURNS: Final = 20
"""Users of each kind. A user's turn is the minute of the payment, so with a payment every five minutes each pays every twenty minutes,
also if a payment is a minute early or late: less often than an alert window, so that no alert is suppressed."""

_MINUTE_SECONDS: Final = 60
_PLAIN: Final = tuple(f"canary-{turn}" for turn in range(CANARY_TURNS))
_FLAGGED: Final = tuple(f"canary-flagged-{turn}" for turn in range(CANARY_TURNS))
_FLAGGED_USERS: Final = frozenset(_FLAGGED)
_USERS: Final = frozenset({*_PLAIN, *_FLAGGED})

_AMOUNT: Final = Decimal("1.00")
_CURRENCY: Final = "USD"


def is_canary(user_id: str) -> bool:
    """Whether a user is one of the canary's, as no payer is.

    >>> is_canary("canary-7"), is_canary("canary-flagged-19"), is_canary("canary-20"), is_canary("canary-islands")
    (True, True, False, False)
    """
    return user_id in _USERS


def is_flagged_canary(user_id: str) -> bool:
    """Whether a user is one of those whose payments are flagged, whatever the ruleset says."""
    return user_id in _FLAGGED_USERS


def canary_users(at: datetime) -> tuple[str, str]:
    """Users whose turn it is: the one whose payment the rules decide on, and the one whose payment is flagged.

    >>> canary_users(datetime(2026, 11, 26, 18, 5, 3, tzinfo=UTC))
    ('canary-5', 'canary-flagged-5')
    """
    turn = int(at.timestamp()) // _MINUTE_SECONDS % CANARY_TURNS
    return _PLAIN[turn], _FLAGGED[turn]


def canary_payment(user_id: str, at: datetime) -> Transaction:
    """Make a canary's payment, the only one that this user can make at this time (UTC)."""
    return Transaction(
        transaction_id=f"{user_id}-{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}",
        user_id=user_id,
        amount=_AMOUNT,
        timestamp=at.astimezone(UTC),
        currency=_CURRENCY,
    )


def check_user(transaction: Transaction, *, is_declared: bool) -> None:
    """Refuse a payment of a reserved user that is not a canary's.

    Parameters
    ----------
    transaction : Transaction
        As it was decoded.
    is_declared : bool
        Whether it comes from the canary's folder: known to the ingestion job, and from a record's header.

    Raises
    ------
    InvalidTransactionError
        Naming ``user_id``, if the user is reserved, and the payment is not declared or not what a canary pays.
    """
    user_id = transaction.user_id
    if not is_canary(user_id):
        return
    if not is_declared:
        raise InvalidTransactionError("user_id", f"{RESERVED}, whose payments come from its own folder")
    if transaction != canary_payment(user_id, transaction.timestamp):
        raise InvalidTransactionError("user_id", f"{RESERVED}, which pays one dollar and nothing else")
