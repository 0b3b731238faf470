"""Seeded random draws, the same on every machine and on every Python from 3.11 on.

Of ``Random`` only ``random()`` is used: Python promises the same sequence for this method alone. The rest is plain
arithmetic. ``math.exp`` may differ in its last bit between C libraries, so its results are rounded to whole minor units or
whole counts.
"""

from __future__ import annotations

from bisect import bisect
from math import exp
from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


class Draws:
    """One stream of draws. Streams with different keys are independent, in any order of use.

    Parameters
    ----------
    *key : str or int
        What the stream is for: a seed, a purpose, a user's number.
    """

    __slots__ = ("unit",)

    def __init__(self, *key: str | int) -> None:
        self.unit = Random("/".join(map(str, key))).random  # noqa: S311 - a simulation must be repeatable
        """Draws a float in [0, 1)."""

    def chance(self, probability: float) -> bool:
        """Draw True with this probability, 0 to 1."""
        return self.unit() < probability

    def uniform(self, low: float, high: float) -> float:
        """Draw a float in [low, high)."""
        return low + (high - low) * self.unit()

    def integer(self, low: int, high: int) -> int:
        """Draw an integer from low to high, both included."""
        return low + int((high - low + 1) * self.unit())

    def choice(self, items: Sequence[T]) -> T:
        """Draw one of ``items``, all equally likely; at least one."""
        return items[int(len(items) * self.unit())]

    def weighted(self, cumulative: Sequence[float]) -> int:
        """Draw an index. ``cumulative`` is the running sum of the weights; the last sum is above 0."""
        return bisect(cumulative, cumulative[-1] * self.unit(), hi=len(cumulative) - 1)

    def distinct(self, items: Sequence[T], count: int) -> list[T]:
        """Draw ``count`` items without replacement; if there are fewer, all of them, shuffled."""
        left = list(items)
        taken = min(count, len(left))
        for place in range(taken):
            other = place + int((len(left) - place) * self.unit())
            left[place], left[other] = left[other], left[place]
        return left[:taken]

    def token(self, kind: str) -> str:
        """Make the id of something new: a user, a card, a device, a shop, a payee."""
        return f"{kind}-{int(self.unit() * 2**40):010x}"

    def normal(self) -> float:
        """Draw from nearly the standard normal distribution: the sum of twelve uniform draws less 6, so from -6 to 6."""
        unit = self.unit
        return (
            unit() + unit() + unit() + unit() + unit() + unit()
            + unit() + unit() + unit() + unit() + unit() + unit() - 6.0
        )  # fmt: skip

    def lognormal(self, median: float, sigma: float) -> float:
        """Draw a positive amount whose logarithm is normal with standard deviation ``sigma``."""
        return median * exp(sigma * self.normal())
