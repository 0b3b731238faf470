"""The payments before this one, cut into windows that end at its event time; what several families of features share.

The profile holds what was folded before this payment. If this one is late, payments with a later event time are left out where
the ring of recent payments shows them. Windows of 7 and 30 days, and shorter ones that reach beyond a full ring, consist of
whole UTC days and hours. In the last hour or day, payments that the ring has forgotten count in full, even later ones.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import compress
from math import floor
from operator import mul
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.profile.profile import MS_PER_DAY, MS_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.profile import Profile
    from engine.profile.amount_buckets import AmountBuckets
    from engine.profile.profile import PaymentFacts
    from engine.profile.recent_payments import RecentPayments

DIGITS: Final = 4
"""Decimals of what is computed. A row holds every feature, and must hold what the rules saw: the float's other twelve digits
mean nothing and would make most rows cost a second write unit."""

MICRO_AMOUNT_BASE: Final = 2.0
"""The largest amount in the base currency that counts as micro: what a card tester pays."""

_SCALE: Final = 10.0**DIGITS
_MINUTE_MS: Final = 60_000


def rounded(value: float) -> float:
    """Half up to :data:`DIGITS` decimals; a quarter of the time of :func:`round`, which gets the last of 17 digits right."""
    return floor(value * _SCALE + 0.5) / _SCALE


class Totals(NamedTuple):
    """Sums over the payments of one window."""

    payments: int
    sum_base: float
    with_rate: int = 0
    """Payments in a currency that has a rate; the others cannot be compared. Only for 30 days."""
    squares_base: float = 0.0
    """Sum of the squared amounts. Only for 30 days."""


_NO_PAYMENTS: Final = Totals(0, 0.0)


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
    comparable, comparable_1h
        Of these, and of the last hour's, the amounts in a currency with a rate.
    own_amount : float
        The payment's amount in the unit of :attr:`amounts`.
    count_1h, sum_1h_base, count_24h, sum_24h_base
        Payments and amounts in the hour and the day before, this payment not among them.
    week, month : Totals
        Of the 7 and of the 30 days before.
    """

    __slots__ = (
        "age_ms",
        "amount_base",
        "amounts",
        "comparable",
        "comparable_1h",
        "count_1h",
        "count_24h",
        "factor",
        "from_1h",
        "from_1m",
        "from_10m",
        "from_24h",
        "is_micro",
        "month",
        "own_amount",
        "since_last_ms",
        "stop",
        "sum_1h_base",
        "sum_24h_base",
        "week",
    )

    def __init__(self, facts: PaymentFacts, profile: Profile, factors: Sequence[float]) -> None:
        at_ms, recent = facts.at_ms, profile.recent
        own_factor = factors[facts.currency]
        self.amount_base = amount_base = facts.amount_minor * own_factor
        self.is_micro = own_factor > 0 and amount_base <= MICRO_AMOUNT_BASE
        times = recent.at_ms
        self.stop = stop = bisect_right(times, at_ms)
        self.since_last_ms = at_ms - times[stop - 1] if stop else 0
        self.age_ms = max(at_ms - profile.first_at_ms, 0) if profile.tx_count else 0
        self.from_1m = bisect_right(times, at_ms - _MINUTE_MS)
        self.from_10m = bisect_right(times, at_ms - 10 * _MINUTE_MS)
        self.from_1h = from_1h = bisect_right(times, at_ms - MS_PER_HOUR)
        amounts, factor, weights = _recent_amounts(facts, recent, stop, factors)
        self.amounts, self.factor = amounts, factor
        amounts_1h = amounts[from_1h:]
        if weights is None:
            self.comparable, self.comparable_1h = amounts, amounts_1h
            self.own_amount: float = facts.amount_minor
        else:
            self.comparable = list(compress(amounts, weights))
            self.comparable_1h = list(compress(amounts_1h, weights[from_1h:]))
            self.own_amount = amount_base
        self.count_1h, self.sum_1h_base = len(amounts_1h), sum(amounts_1h) * factor
        self._count_hour_and_day(at_ms, profile, factors)
        day = at_ms // MS_PER_DAY
        self.week, self.month = _week_and_month(profile.days, day, factors)
        if stop < len(times):
            end_ms = (day + 1) * MS_PER_DAY
            self.week = _less_later(self.week, recent, stop, end_ms, factors)
            self.month = _less_later(self.month, recent, stop, end_ms, factors)

    def _count_hour_and_day(self, at_ms: int, profile: Profile, factors: Sequence[float]) -> None:
        """Count exactly from the ring where it covers the window, else from the buckets, and never less than the ring holds."""
        recent, hours, stop = profile.recent, profile.hours, self.stop
        amounts, factor = self.amounts, self.factor
        hour = at_ms // MS_PER_HOUR
        complete_after_ms = recent.complete_after_ms
        if at_ms - MS_PER_HOUR < complete_after_ms:
            in_hour = _without_later(_totals(hours, hour, hour, factors), recent, stop, hour, factors)
            self.count_1h = max(self.count_1h, in_hour.payments)
            self.sum_1h_base = max(self.sum_1h_base, in_hour.sum_base)
        if at_ms - MS_PER_DAY >= complete_after_ms:
            self.from_24h = from_24h = bisect_right(recent.at_ms, at_ms - MS_PER_DAY)
            self.count_24h = stop - from_24h
            self.sum_24h_base = sum(amounts[from_24h:]) * factor
        else:
            self.from_24h = 0
            in_24h = _without_later(_totals(hours, hour - 23, hour, factors), recent, stop, hour, factors)
            # A payment with an event time hours ahead makes the buckets drop as many hours; the ring still has its payments.
            self.count_24h = max(stop, in_24h.payments)
            self.sum_24h_base = max(sum(amounts) * factor, in_24h.sum_base)


def _recent_amounts(
    facts: PaymentFacts, recent: RecentPayments, stop: int, factors: Sequence[float]
) -> tuple[Sequence[float], float, list[float] | None]:
    """Amounts of the ring's first ``stop`` payments, their factor to the base currency, and which of them have a rate (all: None).

    They stay in minor units where all are in the payment's own currency, as with most users: integers are added and compared
    exactly.
    """
    currencies = recent.currency
    factor = factors[facts.currency]
    if factor and currencies.count(facts.currency) == len(currencies):
        return recent.amount_minor[:stop], factor, None
    weights = [factors[number] for number in currencies[:stop]]
    return list(map(mul, recent.amount_minor, weights)), 1.0, weights


def _totals(buckets: AmountBuckets, first: int, last: int, factors: Sequence[float]) -> Totals:
    """Totals of the buckets ``[first, last]``."""
    counts, sums, currencies = buckets.count, buckets.sum_minor, buckets.currency
    if not counts:
        return _NO_PAYMENTS
    if buckets.bucket[0] < first or buckets.bucket[-1] > last:
        rows = buckets.window(first, last)
        counts, sums, currencies = counts[rows], sums[rows], currencies[rows]
        if not counts:
            return _NO_PAYMENTS
    one = currencies[0]
    if currencies.count(one) == len(currencies):
        return Totals(sum(counts), sum(sums) * factors[one])
    return Totals(sum(counts), sum(map(mul, sums, map(factors.__getitem__, currencies))))


def _week_and_month(buckets: AmountBuckets, day: int, factors: Sequence[float]) -> tuple[Totals, Totals]:
    """Totals of the 7 and of the 30 days up to ``day``."""
    rows = buckets.window(day - 29, day)
    week = bisect_left(buckets.bucket, day - 6, rows.start, rows.stop) - rows.start
    counts, sums, currencies = buckets.count[rows], buckets.sum_minor[rows], buckets.currency[rows]
    low, high = buckets.squares_low[rows], buckets.squares_high[rows]
    count_7d, count_30d = sum(counts[week:]), sum(counts)
    one = currencies[0] if currencies else 0
    if factors[one] and currencies.count(one) == len(currencies):  # integers, added up exactly
        factor = factors[one]
        squares = (sum(low) + (sum(high) << 64)) * factor**2
        return (
            Totals(count_7d, sum(sums[week:]) * factor),
            Totals(count_30d, sum(sums) * factor, count_30d, squares),
        )
    weights = [factors[number] for number in currencies]
    amounts = list(map(mul, sums, weights))
    squares = sum(map(mul, map(mul, low, weights), weights))
    if any(high):
        squares += 2.0**64 * sum(map(mul, map(mul, high, weights), weights))
    return (
        Totals(count_7d, sum(amounts[week:])),
        Totals(count_30d, sum(amounts), sum(compress(counts, weights)), squares),
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
    end = bisect_left(recent.at_ms, end_ms, stop)
    weights = [factors[number] for number in recent.currency[stop:end]]
    amounts = list(map(mul, recent.amount_minor[stop:end], weights))
    # Never below 0: buckets forget, too, and sums of floats do not add up to the last digit.
    return Totals(
        max(totals.payments - len(amounts), 0),
        max(totals.sum_base - sum(amounts), 0.0),
        max(totals.with_rate - sum(map(bool, weights)), 0),
        max(totals.squares_base - sum(map(mul, amounts, amounts)), 0.0),
    )
