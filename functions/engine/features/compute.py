"""Features of one payment against its user's profile, as the catalogue defines them. Pure: values in, values out.

The profile holds what was folded before this payment. Windows end at the payment's event time and include it. Payments with a
later event time, folded already because this one is late, are left out where the ring shows them. Windows of 7 and 30 days, and
shorter ones that reach beyond a full ring, are made of whole UTC days and hours; payments of the last of these that the ring has
forgotten count, whenever in it they were made.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import compress
from math import floor, sqrt
from operator import mul
from typing import TYPE_CHECKING, Final, NamedTuple

from contract.transaction import Location, Transaction
from engine.geo import Fix, distance_km, implied_speed_kmh
from engine.profile.profile import HOURS_PER_WEEK, MS_PER_DAY, MS_PER_HOUR, hour_of_week
from engine.profile.seen_values import SeenKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.scored import FeatureValue
    from engine.exchange_rates import ExchangeRates
    from engine.profile import Profile
    from engine.profile.amount_buckets import AmountBuckets
    from engine.profile.profile import PaymentFacts
    from engine.profile.recent_payments import RecentPayments

ROUND_AMOUNT_MULTIPLE: Final = 100
REPORTING_THRESHOLDS_BASE: Final = (1_000.0, 3_000.0, 5_000.0, 10_000.0)
"""Amounts in the base currency below which structured payments hide."""
JUST_BELOW_SHARE: Final = 0.05
_JUST_BELOW_FROM: Final = tuple(threshold * (1 - JUST_BELOW_SHARE) for threshold in REPORTING_THRESHOLDS_BASE)
MICRO_AMOUNT_BASE: Final = 2.0
MIN_PAYMENTS_FOR_SPREAD: Final = 5
"""Fewer payments say nothing of the spread."""
DIGITS: Final = 4
"""Decimals of what is computed. A row holds every feature, and must hold what the rules saw: the float's other twelve digits
mean nothing and would make most rows cost a second write unit."""
MIN_SPREAD_SHARE: Final = 0.1
"""The standard deviation counts as at least this share of the mean: who always pays 9.99 is not amazed by 10.50."""

_SCALE: Final = 10.0**DIGITS
_SATURDAY_HOURS: Final = 5 * 24
_S_PER_DAY: Final = 86_400
_MINUTE_MS: Final = 60_000


def compute_features(facts: PaymentFacts, profile: Profile, rates: ExchangeRates) -> dict[str, FeatureValue]:
    """Compute every feature of the catalogue.

    Parameters
    ----------
    facts : PaymentFacts
        The payment.
    profile : Profile
        Its user's, before the payment is folded; not changed.
    rates : ExchangeRates
        To the base currency. An amount in a currency without a rate adds 0 to a sum and is left out of means, shares and
        micro amounts; rules see ``is_rate_known``.

    Returns
    -------
    dict[str, FeatureValue]
        Name to value, in the order of the catalogue.
    """
    transaction, at_ms = facts.transaction, facts.at_ms
    recent = profile.recent
    factors = rates.per_minor_unit
    own_factor = factors[facts.currency]
    amount, amount_base = float(transaction.amount), facts.amount_minor * own_factor

    times = recent.at_ms
    stop = bisect_right(times, at_ms)
    is_late = stop < len(times)
    amounts, factor, has_rate = _recent_amounts(facts, recent, stop, factors)
    from_1m = bisect_right(times, at_ms - _MINUTE_MS)
    from_10m = bisect_right(times, at_ms - 10 * _MINUTE_MS)
    from_1h = bisect_right(times, at_ms - MS_PER_HOUR)
    hour, day = at_ms // MS_PER_HOUR, at_ms // MS_PER_DAY

    amounts_1h = amounts[from_1h:]
    count_1h, sum_1h = len(amounts_1h), sum(amounts_1h) * factor
    if not recent.covers_since(at_ms - MS_PER_HOUR):
        in_hour = _totals(profile.hours, hour, hour, factors)
        if is_late:
            in_hour = _less_later(in_hour, recent, stop, (hour + 1) * MS_PER_HOUR, factors)
        count_1h, sum_1h = max(count_1h, in_hour.payments), max(sum_1h, in_hour.sum_base)
    if recent.covers_since(at_ms - MS_PER_DAY):
        from_24h = bisect_right(times, at_ms - MS_PER_DAY)
        count_24h, sum_24h = stop - from_24h, sum(amounts[from_24h:]) * factor
    else:
        from_24h = 0  # a full ring within the window
        in_24h = _totals(profile.hours, hour - 23, hour, factors)
        if is_late:
            in_24h = _less_later(in_24h, recent, stop, (hour + 1) * MS_PER_HOUR, factors)
        # A payment from hours ahead makes the buckets forget as many hours, and the ring still knows its own.
        count_24h, sum_24h = max(stop, in_24h.payments), max(sum(amounts) * factor, in_24h.sum_base)
    in_7d, in_30d = _week_and_month(profile.days, day, factors)
    if is_late:
        in_7d = _less_later(in_7d, recent, stop, (day + 1) * MS_PER_DAY, factors)
        in_30d = _less_later(in_30d, recent, stop, (day + 1) * MS_PER_DAY, factors)
    mean_30d = in_30d.sum_base / in_30d.with_rate if in_30d.with_rate else 0.0
    std_30d = _spread(in_30d, mean_30d)
    comparable, comparable_1h = amounts, amounts_1h
    if has_rate is not None:
        comparable = list(compress(amounts, has_rate))
        comparable_1h = list(compress(amounts_1h, has_rate[from_1h:]))
    ordered = sorted(comparable)
    largest = ordered[-1] * factor if ordered else 0.0
    own = facts.amount_minor if has_rate is None else amount_base
    share_below = bisect_left(ordered, own) / len(ordered) if ordered else 0.5
    is_micro = own_factor > 0 and amount_base <= MICRO_AMOUNT_BASE
    here, there = _fix(transaction, at_ms), profile.last_place
    apart_km = distance_km(there, here) if here is not None and there is not None else 0.0
    speed_kmh = implied_speed_kmh(there, here, apart_km) if here is not None and there is not None else 0.0

    since_last_ms = at_ms - times[stop - 1] if stop else 0
    age_ms = max(at_ms - profile.first_at_ms, 0) if profile.tx_count else 0
    first_seen_s = [profile.seen.first_seen_s(value) for value in facts.seen]
    device_s, payee_s = first_seen_s[SeenKind.DEVICE], first_seen_s[SeenKind.PAYEE]
    has_past = profile.tx_count > 0
    is_new = [
        has_past and seen_s is None and value is not None
        for seen_s, value in zip(first_seen_s, facts.seen, strict=True)
    ]
    at_s = at_ms // 1000
    slot = hour_of_week(hour)

    return {
        "amount": amount,
        "amount_base": _rounded(amount_base),
        "currency": transaction.currency,
        "country": facts.country or "",
        "channel": transaction.channel or "",
        "merchant_category": transaction.merchant_category or "",
        "hour_of_day": hour % 24,
        "is_weekend": slot >= _SATURDAY_HOURS,
        "is_round_amount": amount > 0 and amount % ROUND_AMOUNT_MULTIPLE == 0,
        "is_just_below_threshold": _is_just_below(amount_base),
        "is_micro_amount": is_micro,
        "amount_mean_30d_base": _rounded(mean_30d),
        "amount_std_30d_base": _rounded(std_30d),
        "amount_ratio_to_mean_30d": _rounded(amount_base / mean_30d) if mean_30d > 0 else 1.0,
        "amount_zscore_30d": _rounded(_zscore(amount_base, mean_30d, std_30d, in_30d.with_rate)),
        "amount_percentile_recent": _rounded(share_below),
        "amount_max_recent_base": _rounded(largest),
        "tx_count_1m": stop - from_1m + 1,
        "tx_count_10m": stop - from_10m + 1,
        "tx_count_1h": count_1h + 1,
        "tx_count_24h": count_24h + 1,
        "tx_count_7d": in_7d.payments + 1,
        "tx_count_30d": in_30d.payments + 1,
        "amount_sum_10m_base": _rounded(sum(amounts[from_10m:]) * factor + amount_base),
        "amount_sum_1h_base": _rounded(sum_1h + amount_base),
        "amount_sum_24h_base": _rounded(sum_24h + amount_base),
        "amount_sum_7d_base": _rounded(in_7d.sum_base + amount_base),
        "amount_sum_30d_base": _rounded(in_30d.sum_base + amount_base),
        "tx_rate_ratio_24h": _rounded(_rate_ratio(count_24h + 1, in_30d.payments, age_ms)),
        "micro_amount_count_1h": sum(each * factor <= MICRO_AMOUNT_BASE for each in comparable_1h) + is_micro,
        "merchant_count_1h": recent.distinct(recent.merchant, from_1h, stop, facts.merchant_hash),
        "card_count_1h": recent.distinct(recent.card, from_1h, stop, facts.card_hash),
        "country_count_24h": recent.distinct(recent.country, from_24h, stop, facts.country_hash),
        "minutes_since_last_tx": _rounded(since_last_ms / _MINUTE_MS),
        "is_location_known": here is not None,
        "distance_from_last_km": _rounded(apart_km),
        "implied_speed_kmh": _rounded(speed_kmh),
        "is_location_change": _is_location_change(facts, profile),
        "is_country_change": _is_country_change(facts, profile, stop),
        "is_new_country": is_new[SeenKind.COUNTRY],
        "is_new_device": is_new[SeenKind.DEVICE],
        "is_new_merchant": is_new[SeenKind.MERCHANT],
        "is_new_payee": is_new[SeenKind.PAYEE],
        "is_new_channel": is_new[SeenKind.CHANNEL],
        "is_new_currency": is_new[SeenKind.CURRENCY],
        "device_age_days": _rounded(max(at_s - device_s, 0) / _S_PER_DAY) if device_s is not None else 0.0,
        "payee_age_days": _rounded(max(at_s - payee_s, 0) / _S_PER_DAY) if payee_s is not None else 0.0,
        "hour_of_week_share": _rounded(_habit_share(profile.hour_of_week, slot)),
        "profile_tx_count": profile.tx_count,
        "account_age_days": _rounded(age_ms / MS_PER_DAY),
        "days_since_last_tx": _rounded(since_last_ms / MS_PER_DAY),
    }


def _rounded(value: float) -> float:
    """Half up to :data:`DIGITS` decimals; a quarter of the time of :func:`round`, which gets the last of 17 digits right."""
    return floor(value * _SCALE + 0.5) / _SCALE


class _Totals(NamedTuple):
    """What the payments of a window come to."""

    payments: int
    sum_base: float
    with_rate: int = 0
    """Those of the payments in a currency that has a rate: the others say nothing of what is usual. Only of 30 days."""
    squares_base: float = 0.0
    """Only of 30 days."""


_NOTHING: Final = _Totals(0, 0.0)


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


def _totals(buckets: AmountBuckets, first: int, last: int, factors: Sequence[float]) -> _Totals:
    """Totals of the buckets ``[first, last]``."""
    counts, sums, currencies = buckets.count, buckets.sum_minor, buckets.currency
    if not counts:
        return _NOTHING
    if buckets.bucket[0] < first or buckets.bucket[-1] > last:
        rows = buckets.window(first, last)
        counts, sums, currencies = counts[rows], sums[rows], currencies[rows]
        if not counts:
            return _NOTHING
    one = currencies[0]
    if currencies.count(one) == len(currencies):
        return _Totals(sum(counts), sum(sums) * factors[one])
    return _Totals(sum(counts), sum(map(mul, sums, map(factors.__getitem__, currencies))))


def _week_and_month(buckets: AmountBuckets, day: int, factors: Sequence[float]) -> tuple[_Totals, _Totals]:
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
            _Totals(count_7d, sum(sums[week:]) * factor),
            _Totals(count_30d, sum(sums) * factor, count_30d, squares),
        )
    weights = [factors[number] for number in currencies]
    amounts = list(map(mul, sums, weights))
    squares = sum(map(mul, map(mul, low, weights), weights))
    if any(high):
        squares += 2.0**64 * sum(map(mul, map(mul, high, weights), weights))
    return (
        _Totals(count_7d, sum(amounts[week:])),
        _Totals(count_30d, sum(amounts), sum(compress(counts, weights)), squares),
    )


def _less_later(
    totals: _Totals, recent: RecentPayments, stop: int, end_ms: int, factors: Sequence[float]
) -> _Totals:
    """Take out of whole buckets, which end at ``end_ms``, what the ring knows to be later than the payment."""
    end = bisect_left(recent.at_ms, end_ms, stop)
    weights = [factors[number] for number in recent.currency[stop:end]]
    amounts = list(map(mul, recent.amount_minor[stop:end], weights))
    # Never below nothing: buckets forget, too, and sums of floats do not add up to the last digit.
    return _Totals(
        max(totals.payments - len(amounts), 0),
        max(totals.sum_base - sum(amounts), 0.0),
        max(totals.with_rate - sum(map(bool, weights)), 0),
        max(totals.squares_base - sum(map(mul, amounts, amounts)), 0.0),
    )


def _spread(totals: _Totals, mean: float) -> float:
    """Standard deviation; 0 with too few amounts."""
    if totals.with_rate < MIN_PAYMENTS_FOR_SPREAD:
        return 0.0
    # The textbook formula cancels for a constant amount; what is left of it may be a hair below 0.
    return sqrt(max(totals.squares_base / totals.with_rate - mean * mean, 0.0))


def _zscore(amount: float, mean: float, std: float, count: int) -> float:
    if count < MIN_PAYMENTS_FOR_SPREAD or mean <= 0:
        return 0.0
    return (amount - mean) / max(std, MIN_SPREAD_SHARE * mean)


def _rate_ratio(count_24h: int, count_30d: int, age_ms: int) -> float:
    if not count_30d:
        return 1.0
    days = min(max(age_ms / MS_PER_DAY, 1.0), 30.0)
    return count_24h / (count_30d / days)


def _is_just_below(amount: float) -> bool:
    place = bisect_right(REPORTING_THRESHOLDS_BASE, amount)
    return place < len(REPORTING_THRESHOLDS_BASE) and amount >= _JUST_BELOW_FROM[place]


def _fix(transaction: Transaction, at_ms: int) -> Fix | None:
    location = transaction.location
    if not isinstance(location, Location) or location.latitude is None or location.longitude is None:
        return None
    return Fix(location.latitude, location.longitude, at_ms)


def _is_location_change(facts: PaymentFacts, profile: Profile) -> bool:
    if facts.at_ms < profile.last_at_ms:
        return False  # the profile knows the place of the latest payment only
    return bool(facts.place_hash and profile.last_place_hash and facts.place_hash != profile.last_place_hash)


def _is_country_change(facts: PaymentFacts, profile: Profile, stop: int) -> bool:
    before = profile.recent.country[stop - 1] if stop else 0
    return bool(before and facts.country_hash and before != facts.country_hash)


def _habit_share(counts: bytearray, slot: int) -> float:
    total = sum(counts)
    if not total:
        return 0.0
    near = counts[slot - 1] + counts[slot] + counts[(slot + 1) % HOURS_PER_WEEK]
    return near / total
