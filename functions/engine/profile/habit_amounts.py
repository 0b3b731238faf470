"""The newest amounts that teach what is normal. Payments that were reviewed or blocked displace none of them."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, ClassVar, Final

from engine.profile.packed_columns import empty

if TYPE_CHECKING:
    from array import array

HABIT_CAPACITY: Final = 32
"""How many amounts are kept: enough for a stable median and 90th percentile. A row has 14 bytes."""


class HabitAmounts:
    """At most :data:`HABIT_CAPACITY` amounts, those with the latest times, oldest first.

    Attributes
    ----------
    at_s : array of uint32
        Times of the payments, s since the epoch, ascending.
    amount_minor : array of int64
        Amounts in minor units of their own currency.
    currency : array of uint8
        Numbers of the currencies (:mod:`engine.profile.fingerprints`).
    named : array of uint8
        Which fields the payments named (:mod:`engine.profile.named_fields`).
    """

    __slots__ = ("amount_minor", "at_s", "currency", "named")

    TYPECODES: ClassVar[str] = "IqBB"

    def __init__(self, *columns: array[int]) -> None:
        self.at_s, self.amount_minor, self.currency, self.named = columns or empty(self.TYPECODES)

    def __len__(self) -> int:
        return len(self.at_s)

    def columns(self) -> tuple[array[int], ...]:
        """All columns, in the order of :attr:`TYPECODES`."""
        return (self.at_s, self.amount_minor, self.currency, self.named)

    def add(self, at_s: int, amount_minor: int, currency: int, named: int) -> None:
        """Insert an amount at its place; beyond the capacity, forget the oldest.

        An amount of 0 is not kept: checks of a card and of an account pay nothing, and 32 of them would leave no amount to compare with.
        Which amounts are kept, and in which order, does not depend on the order of arrival: those of one second are in the order
        of amount, currency and fields.
        """
        if not amount_minor:
            return
        times, amounts, currencies, fields = self.columns()
        place = bisect_right(times, at_s)
        while (
            place
            and times[place - 1] == at_s
            and (amounts[place - 1], currencies[place - 1], fields[place - 1])
            > (amount_minor, currency, named)
        ):
            place -= 1
        if len(times) >= HABIT_CAPACITY:
            if place == 0:
                return  # older than every amount that is kept
            place -= 1
            del times[0], amounts[0], currencies[0], fields[0]
        times.insert(place, at_s)
        amounts.insert(place, amount_minor)
        currencies.insert(place, currency)
        fields.insert(place, named)
