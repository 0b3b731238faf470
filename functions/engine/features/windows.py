"""The payments before this one, cut into windows that end at it; what several families of features share.

The profile holds what was folded before this payment. If this one is late by its clock, payments with a later clock are left out
where the ring of recent payments shows them. Windows of 7 and 30 days, and shorter ones that reach beyond a full ring, consist of
whole UTC days and hours. In the last hour or day, payments that the ring has forgotten count in full, even later ones.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import compress
from math import floor, fsum
from operator import mul
from typing import TYPE_CHECKING, Final
from zlib import adler32

from engine.features.totals import Habits, Totals
from engine.profile.facts import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.profile import Profile
    from engine.profile.amount_buckets import HabitBuckets, VelocityBuckets
    from engine.profile.facts import PaymentFacts
    from engine.profile.habit_amounts import HabitAmounts
    from engine.profile.recent_payments import RecentPayments

DIGITS: Final = 4
"""Decimals of what is computed. A row holds every feature, and must hold what the rules saw: the float's other twelve digits
mean nothing and would make most rows cost a second write unit."""

MICRO_AMOUNT_BASE: Final = 2.0
"""The largest amount in the base currency that counts as micro: what a card tester pays."""

_SCALE: Final = 10.0**DIGITS


def added_up(amounts: Sequence[float]) -> float:
    """Sum of amounts as :func:`_amounts` gives them: whole numbers in an array exactly, floating-point numbers rounded once.

    The built-in ``sum`` of floats rounds at every step up to Python 3.11 and compensates from 3.12 on; features must not depend on
    the Python that computes them.
    """
    return sum(amounts) if isinstance(amounts, array) else fsum(amounts)


def rounded(value: float) -> float:
    """Half up to :data:`DIGITS` decimals; a quarter of the time of :func:`round`, which gets the last of 17 digits right."""
    return floor(value * _SCALE + 0.5) / _SCALE


_NO_PAYMENTS: Final = Totals(0, 0.0)
_NO_HABITS: Final = Habits(0, 0, 0.0, 0.0)


class Windows:
    """What a payment is compared with.

    Parameters
    ----------
    facts : PaymentFacts
        The payment.
    profile : Profile
        Its user's, before the payment is folded; not changed.
    factors : Sequence[float]
        Major units of the base currency per minor unit, by currency number; 0 for a currency without a rate.

    Attributes
    ----------
    age_ms, since_last_ms : int
        Since the user's first payment and since the one before this; 0 for the first.
    amount_base : float
        The payment's amount in the base currency; 0 without a rate.
    is_micro : bool
        The payment is a micro amount; false without a rate.
    stop : int
        How many payments of the ring are not later than this one: rows ``[0, stop)``.
    from_1m, from_10m, from_1h, from_24h : int
        First row of the ring in each window; ``from_24h`` is 0 where a full ring begins within the window.
    amounts, factor
        Amounts of rows ``[0, stop)`` and what turns them into the base currency; 0 in a currency without a rate.
    comparable_1h
        Of these, those of the last hour in a currency with a rate.
    hour, day, week, month : Totals
        Of all payments in the hour, the day, the 7 and the 30 days before, this payment not among them.
    usual : list[float]
        The newest amounts that teach what is normal, ascending, in the base currency; those in a currency without a rate left out.
    habits : Habits
        Of the 30 days before.
    are_incomplete : bool
        Payments of the day or of the 7 days before may be forgotten: they came in more currencies than the buckets have rows for.
    """

    __slots__ = (
        "age_ms",
        "amount_base",
        "amounts",
        "are_incomplete",
        "comparable_1h",
        "day",
        "factor",
        "from_1h",
        "from_1m",
        "from_10m",
        "from_24h",
        "habits",
        "hour",
        "is_micro",
        "month",
        "since_last_ms",
        "stop",
        "usual",
        "week",
    )

    def __init__(self, facts: PaymentFacts, profile: Profile, factors: Sequence[float]) -> None:
        clock_ms, recent = facts.clock_ms, profile.recent
        own_factor = factors[facts.currency]
        self.amount_base = amount_base = facts.amount_minor * own_factor
        self.is_micro = own_factor > 0 and amount_base <= MICRO_AMOUNT_BASE
        times = recent.clock_ms
        self.stop = stop = bisect_right(times, clock_ms)
        self.since_last_ms = clock_ms - times[stop - 1] if stop else 0
        self.age_ms = max(clock_ms - profile.first_clock_ms, 0) if profile.tx_count else 0
        self.from_1m = bisect_right(times, clock_ms - MS_PER_MINUTE)
        self.from_10m = bisect_right(times, clock_ms - 10 * MS_PER_MINUTE)
        self.from_1h = from_1h = bisect_right(times, clock_ms - MS_PER_HOUR)
        minor, currencies = recent.amount_minor, recent.currency
        if stop < len(times):
            minor, currencies = minor[:stop], currencies[:stop]
        amounts, factor, weights = _amounts(minor, currencies, factors)
        self.amounts, self.factor = amounts, factor
        amounts_1h = amounts[from_1h:]
        self.comparable_1h = amounts_1h if weights is None else list(compress(amounts_1h, weights[from_1h:]))
        self._count_hour_and_day(clock_ms, profile, factors)
        day = clock_ms // MS_PER_DAY
        if profile.days.has_cut(day - 6):
            self.are_incomplete = True
        self.week, self.month = _week_and_month(profile.days, day, factors)
        if stop < len(times):
            end_ms = (day + 1) * MS_PER_DAY
            self.week = _less_later(self.week, recent, stop, end_ms, factors)
            self.month = _less_later(self.month, recent, stop, end_ms, factors)
        usual_stop = _usual_stop(profile.habits, facts.at_ms)
        self.usual = _usual(profile.habits, usual_stop, factors)
        self.habits = _habits(profile.habit_days, facts.at_ms // MS_PER_DAY, factors)
        if usual_stop < len(profile.habits.at_s):
            self.habits = _less_later_habits(self.habits, profile.habits, usual_stop, facts.at_ms, factors)

    def _count_hour_and_day(self, clock_ms: int, profile: Profile, factors: Sequence[float]) -> None:
        """Count exactly from the ring where it covers the window, else from the buckets, and never less than the ring holds."""
        recent, hours, stop = profile.recent, profile.hours, self.stop
        hour = clock_ms // MS_PER_HOUR
        complete_after_ms = recent.complete_after_ms
        self.hour = self._from_ring(recent, self.from_1h)
        if clock_ms - MS_PER_HOUR < complete_after_ms:
            in_hour = _without_later(_totals(hours, hour, hour, factors), recent, stop, hour, factors)
            self.hour = _larger(self.hour, in_hour)
        if clock_ms - MS_PER_DAY >= complete_after_ms:
            self.from_24h = bisect_right(recent.clock_ms, clock_ms - MS_PER_DAY)
            self.are_incomplete = False
            self.day = self._from_ring(recent, self.from_24h)
        else:
            self.from_24h = 0
            self.are_incomplete = hours.has_cut(hour - 23)
            in_24h = _without_later(_totals(hours, hour - 23, hour, factors), recent, stop, hour, factors)
            # A backfill of a trusted feed can make the buckets drop hours; the ring still has its payments.
            self.day = _larger(self._from_ring(recent, 0), in_24h)

    def _from_ring(self, recent: RecentPayments, start: int) -> Totals:
        if start >= self.stop:
            return _NO_PAYMENTS
        decided = recent.decision[start : self.stop]
        return Totals(
            len(decided), added_up(self.amounts[start:]) * self.factor, decided.count(1), decided.count(2)
        )


def _larger(one: Totals, other: Totals) -> Totals:
    return Totals(
        max(one.payments, other.payments),
        max(one.sum_base, other.sum_base),
        max(one.reviewed, other.reviewed),
        max(one.blocked, other.blocked),
    )


def _amounts(
    amounts: array[int], currencies: array[int], factors: Sequence[float]
) -> tuple[Sequence[float], float, list[float] | None]:
    """Amounts, the factor into the base currency, and each one's rate.

    Where all are in one currency that has a rate they are minor units, the rates None, and one multiplication converts a sum.
    """
    one = currencies[0] if currencies else 0
    if factors[one] and currencies.count(one) == len(currencies):
        return amounts, factors[one], None
    weights = [factors[number] for number in currencies]
    return list(map(mul, amounts, weights)), 1.0, weights


def _usual_stop(habits: HabitAmounts, at_ms: int) -> int:
    """How many of the newest amounts are not later than ``at_ms``: all, but for a late payment."""
    stop = len(habits.at_s)
    if stop and habits.at_s[-1] * 1000 > at_ms:
        stop = bisect_right(habits.at_s, at_ms // 1000)
    return stop


def _usual(habits: HabitAmounts, stop: int, factors: Sequence[float]) -> list[float]:
    minor, currencies = habits.amount_minor, habits.currency
    if stop < len(minor):
        minor, currencies = minor[:stop], currencies[:stop]
    amounts, factor, weights = _amounts(minor, currencies, factors)
    if weights is not None:
        return sorted(compress(amounts, weights))
    return [amount * factor for amount in sorted(amounts)]


def _totals(buckets: VelocityBuckets, first: int, last: int, factors: Sequence[float]) -> Totals:
    """Totals of the buckets ``[first, last]``."""
    rows = buckets.window(first, last)
    return _totals_of(buckets, rows.start, rows.stop, factors)


def _totals_of(buckets: VelocityBuckets, start: int, stop: int, factors: Sequence[float]) -> Totals:
    if start >= stop:
        return _NO_PAYMENTS
    sums, currencies = buckets.sum_minor[start:stop], buckets.currency[start:stop]
    one = currencies[0]
    if currencies.count(one) == stop - start:
        sum_base = sum(sums) * factors[one]
    else:
        sum_base = fsum([amount * factors[number] for amount, number in zip(sums, currencies, strict=True)])
    return Totals(
        sum(buckets.count[start:stop]),
        sum_base,
        _sum_of_bytes(buckets.reviewed[start:stop]),
        _sum_of_bytes(buckets.blocked[start:stop]),
    )


def _sum_of_bytes(column: array[int]) -> int:
    # As in :mod:`engine.features.habit`: Adler-32's low half is 1 plus the sum of all bytes, modulo 65,521. A tenth of sum()'s time.
    return (adler32(column) & 0xFFFF) - 1


def _week_and_month(buckets: VelocityBuckets, day: int, factors: Sequence[float]) -> tuple[Totals, Totals]:
    """Totals of the 7 and of the 30 days up to ``day``."""
    rows = buckets.window(day - 29, day)
    week = bisect_left(buckets.bucket, day - 6, rows.start, rows.stop)
    month = _totals_of(buckets, rows.start, rows.stop, factors)
    return _totals_of(buckets, week, rows.stop, factors), month


def _habits(buckets: HabitBuckets, day: int, factors: Sequence[float]) -> Habits:
    """Of the 30 days up to ``day``."""
    rows = buckets.window(day - 29, day)
    counts = buckets.count[rows]
    if not counts:
        return _NO_HABITS
    sums, currencies = buckets.sum_minor[rows], buckets.currency[rows]
    low, high = buckets.squares_low[rows], buckets.squares_high[rows]
    payments, one = sum(counts), currencies[0]
    if factors[one] and currencies.count(one) == len(currencies):  # integers, added up exactly
        factor = factors[one]
        # The high halves are nearly always 0, and to see that is quicker than to add them up.
        whole = sum(low) + (sum(high) << 64 if any(high) else 0)
        squares = whole * factor**2
        return Habits(payments, payments, sum(sums) * factor, squares)
    weights = [factors[number] for number in currencies]
    squares = fsum(map(mul, map(mul, low, weights), weights))
    if any(high):
        squares += 2.0**64 * fsum(map(mul, map(mul, high, weights), weights))
    return Habits(payments, sum(compress(counts, weights)), fsum(map(mul, sums, weights)), squares)


def _less_later_habits(
    total: Habits, habits: HabitAmounts, stop: int, at_ms: int, factors: Sequence[float]
) -> Habits:
    """Subtract from whole days, the last of them that of ``at_ms``, the amounts that are known to be later."""
    end = bisect_left(habits.at_s, (at_ms // MS_PER_DAY + 1) * MS_PER_DAY // 1000, stop)
    weights = [factors[number] for number in habits.currency[stop:end]]
    amounts = list(map(mul, habits.amount_minor[stop:end], weights))
    # Never below 0, as with all payments.
    return Habits(
        max(total.payments - len(amounts), 0),
        max(total.with_rate - sum(map(bool, weights)), 0),
        max(total.sum_base - fsum(amounts), 0.0),
        max(total.squares_base - fsum(map(mul, amounts, amounts)), 0.0),
    )


def _without_later(
    totals: Totals, recent: RecentPayments, stop: int, hour: int, factors: Sequence[float]
) -> Totals:
    """Totals of hours up to ``hour``, less the later payments of that hour that the ring knows."""
    if stop == len(recent):
        return totals
    return _less_later(totals, recent, stop, (hour + 1) * MS_PER_HOUR, factors)


def _less_later(
    totals: Totals, recent: RecentPayments, stop: int, end_ms: int, factors: Sequence[float]
) -> Totals:
    """Subtract from whole buckets, which end at ``end_ms``, the payments that the ring shows to be later."""
    end = bisect_left(recent.clock_ms, end_ms, stop)
    weights = [factors[number] for number in recent.currency[stop:end]]
    decided = recent.decision[stop:end]
    # Never below 0: buckets forget, too, and sums of floats do not add up to the last digit.
    return Totals(
        max(totals.payments - len(weights), 0),
        max(totals.sum_base - fsum(map(mul, recent.amount_minor[stop:end], weights)), 0.0),
        max(totals.reviewed - decided.count(1), 0),
        max(totals.blocked - decided.count(2), 0),
    )
