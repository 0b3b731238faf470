"""What the measures need of each decided payment, in columns: 25 bytes a payment, and 4 more for a second ruleset."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING

from engine.profile.fingerprints import key_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.truth import Truth


class Users:
    """Users by number, in the order in which they first came.

    Attributes
    ----------
    hashes : array[int]
        By number: 64 bits of the user's id, the same in every run.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.hashes = array("Q")

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, user_id: str) -> int:
        """Give a user's number; a new user gets the next."""
        number = self._numbers.get(user_id)
        if number is None:
            number = self._numbers[user_id] = len(self._numbers)
            self.hashes.append(key_hash(user_id))
        return number


class Outcomes:
    """Columns of all payments that were decided, in their order.

    Parameters
    ----------
    rulesets : int
        How many decide on each payment.

    Attributes
    ----------
    points : tuple[array[int], ...]
        By ruleset: the sum of the live rules' points, not held to a range.
    at_ms : array[int]
        The payment's clock, ms since the epoch.
    user : array[int]
        The user's number.
    is_fraud : bytearray
        1 for fraud.
    value : array[float]
        In the base currency; NaN where it is not known.
    """

    def __init__(self, rulesets: int = 1) -> None:
        self.points = tuple(array("i") for _ in range(rulesets))
        self.at_ms = array("q")
        self.user = array("i")
        self.is_fraud = bytearray()
        self.value = array("d")

    def __len__(self) -> int:
        return len(self.at_ms)

    def add(self, user: int, at_ms: int, truth: Truth, points: Sequence[int]) -> None:
        """Add a payment; ``points`` has one number for each ruleset."""
        for column, each in zip(self.points, points, strict=True):
            column.append(each)
        self.at_ms.append(at_ms)
        self.user.append(user)
        self.is_fraud.append(truth.is_fraud)
        self.value.append(math.nan if truth.amount_base is None else truth.amount_base)
