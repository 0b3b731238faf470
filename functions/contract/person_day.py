"""How much money somebody has released in a day, at which no second person looks. A row of ``case_decisions`` beside the decisions.

The limit of a user's money does not see who spreads a sum over many users. This row does: it is written with each decision that it counts.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from contract.case_decision import DECISIONS_TABLE, DecisionKey
from contract.items import Item, from_item, to_item

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_PERSON: Final = "person#"
_KEPT: Final = timedelta(days=8)


class PersonDay(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row; the fields are its attributes."""

    case_id: str
    """``person#<person>``, which is no case's name."""
    decision_id: str
    """``<day, UTC>#<base currency>``."""
    version: int = 0
    """Every write is made over the version before; 0 of a day on which nothing is stored yet."""
    amount_base: Decimal = Decimal(0)
    """What this person has called legitimate on this day without a second look, major units of the currency. What is undone counts too."""
    expires_at: int
    """When DynamoDB may delete it, seconds since the epoch."""

    @property
    def key(self) -> DecisionKey:
        """Key of its row."""
        return DecisionKey(self.case_id, self.decision_id)

    def plus(self, amount_base: Decimal) -> PersonDay:
        """Make the next version, with so much more."""
        return msgspec.structs.replace(
            self, version=self.version + 1, amount_base=self.amount_base + amount_base
        )


def person_day(person: str, currency: str | None, now: datetime) -> PersonDay:
    """Make the row of a day on which nothing is stored yet.

    >>> from datetime import datetime
    >>> person_day("ann", "USD", datetime(2026, 3, 1, 12, tzinfo=UTC)).key
    DecisionKey(case_id='person#ann', decision_id='2026-03-01#USD')
    """
    return PersonDay(
        case_id=f"{_PERSON}{person}",
        decision_id=f"{now.astimezone(UTC).date().isoformat()}#{currency or ''}",
        expires_at=int((now + _KEPT).timestamp()),
    )


def to_day_item(day: PersonDay) -> Item:
    """Write the row in DynamoDB's wire form."""
    return to_item(day)


def from_day_item(item: Mapping[str, Any]) -> PersonDay:
    """Read the row back; InvalidRowError names the attribute that is missing or cannot be read."""
    return from_item(DECISIONS_TABLE, item, PersonDay)
