"""Features of one payment against its user's profile, as the catalogue defines them. Pure: values in, values out.

The profile holds what was folded before this payment. Windows end at the payment's event time and include it; payments
with a later event time, folded already because this one is late, are left out where the ring can tell them apart.
"""

from bisect import bisect_left, bisect_right
from math import floor, sqrt
from operator import mul
from typing import TYPE_CHECKING, Final

from contract.transaction import Location, Transaction
from score.geo import Fix, distance_km, implied_speed_kmh
from score.profile.profile import HOURS_PER_WEEK, MS_PER_DAY, MS_PER_HOUR, hour_of_week
from score.profile.seen import Kind

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

    from contract.scored import FeatureValue
    from score.exchange import ExchangeRates
    from score.profile import Profile
    from score.profile.buckets import AmountBuckets
    from score.profile.profile import PaymentFacts
    from score.profile.recent import RecentPayments

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
_MS_PER_MINUTE_F: Final = 60_000.0


def compute_features(
    facts: "PaymentFacts", profile: "Profile", rates: "ExchangeRates"
) -> "dict[str, FeatureValue]":
    """Compute every feature of the catalogue.

    Parameters
    ----------
    facts : PaymentFacts
        The payment.
    profile : Profile
        Its user's, before the payment is folded; not changed.
    rates : ExchangeRates
        To the base currency. An amount in a currency without a rate counts as 0; rules see
        ``is_rate_known``.

    Returns
    -------
    dict[str, FeatureValue]
        Name to value, in the order of the catalogue.
    """
    transaction, at_ms = facts.transaction, facts.at_ms
    recent = profile.recent
    factors = rates.per_minor_unit
    amount = float(transaction.amount)
    amount_base = amount * (rates.rate(transaction.currency) or 0.0)

    times = recent.at_ms
    stop = bisect_right(times, at_ms)
    amounts, factor, own = _recent_amounts(facts, recent, stop, factors, amount_base)
    from_1m = bisect_right(times, at_ms - _MINUTE_MS)
    from_10m = bisect_right(times, at_ms - 10 * _MINUTE_MS)
    from_1h = bisect_right(times, at_ms - MS_PER_HOUR)
    hour, day = at_ms // MS_PER_HOUR, at_ms // MS_PER_DAY

    amounts_1h = amounts[from_1h:]
    count_1h, sum_1h = len(amounts_1h), sum(amounts_1h) * factor
    if not recent.covers_since(at_ms - MS_PER_HOUR):
        count_hour, sum_hour = _totals(profile.hours, hour, hour, factors)
        count_1h, sum_1h = max(count_1h, count_hour), max(sum_1h, sum_hour)
    if recent.covers_since(at_ms - MS_PER_DAY):
        from_24h = bisect_right(times, at_ms - MS_PER_DAY)
        count_24h, sum_24h = stop - from_24h, sum(amounts[from_24h:]) * factor
    else:
        from_24h = 0
        count_24h, sum_24h = _totals(profile.hours, hour - 23, hour, factors)
    count_7d, sum_7d, count_30d, sum_30d, squares_30d = _month(profile.days, day, factors)
    mean_30d = sum_30d / count_30d if count_30d else 0.0
    std_30d = _spread(count_30d, mean_30d, squares_30d)
    ordered = sorted(amounts)
    largest = ordered[-1] * factor if ordered else 0.0
    share_below = bisect_left(ordered, own) / len(ordered) if ordered else 0.5
    here, there = _fix(transaction, at_ms), profile.last_place
    apart_km = distance_km(there, here) if here is not None and there is not None else 0.0
    speed_kmh = implied_speed_kmh(there, here, apart_km) if here is not None and there is not None else 0.0

    since_last_ms = at_ms - times[stop - 1] if stop else 0
    age_ms = max(at_ms - profile.first_at_ms, 0) if profile.tx_count else 0
    first_seen_s = [profile.seen.first_seen_s(value) for value in facts.seen]
    device_s, payee_s = first_seen_s[Kind.DEVICE], first_seen_s[Kind.PAYEE]
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
        "is_micro_amount": amount_base <= MICRO_AMOUNT_BASE,
        "amount_mean_30d_base": _rounded(mean_30d),
        "amount_std_30d_base": _rounded(std_30d),
        "amount_ratio_to_mean_30d": _rounded(amount_base / mean_30d) if mean_30d > 0 else 1.0,
        "amount_zscore_30d": _rounded(_zscore(amount_base, mean_30d, std_30d, count_30d)),
        "amount_percentile_recent": _rounded(share_below),
        "amount_max_recent_base": _rounded(largest),
        "tx_count_1m": stop - from_1m + 1,
        "tx_count_10m": stop - from_10m + 1,
        "tx_count_1h": count_1h + 1,
        "tx_count_24h": count_24h + 1,
        "tx_count_7d": count_7d + 1,
        "tx_count_30d": count_30d + 1,
        "amount_sum_10m_base": _rounded(sum(amounts[from_10m:]) * factor + amount_base),
        "amount_sum_1h_base": _rounded(sum_1h + amount_base),
        "amount_sum_24h_base": _rounded(sum_24h + amount_base),
        "amount_sum_7d_base": _rounded(sum_7d + amount_base),
        "amount_sum_30d_base": _rounded(sum_30d + amount_base),
        "tx_rate_ratio_24h": _rounded(_rate_ratio(count_24h + 1, count_30d, age_ms)),
        "micro_amount_count_1h": sum(each * factor <= MICRO_AMOUNT_BASE for each in amounts_1h)
        + (amount_base <= MICRO_AMOUNT_BASE),
        "merchant_count_1h": recent.distinct(recent.merchant, from_1h, stop, facts.merchant_hash),
        "card_count_1h": recent.distinct(recent.card, from_1h, stop, facts.card_hash),
        "country_count_24h": recent.distinct(recent.country, from_24h, stop, facts.country_hash),
        "minutes_since_last_tx": _rounded(since_last_ms / _MS_PER_MINUTE_F),
        "is_location_known": here is not None,
        "distance_from_last_km": _rounded(apart_km),
        "implied_speed_kmh": _rounded(speed_kmh),
        "is_location_change": bool(
            facts.place_hash and profile.last_place_hash and facts.place_hash != profile.last_place_hash
        ),
        "is_country_change": _is_country_change(facts, profile, stop),
        "is_new_country": is_new[Kind.COUNTRY],
        "is_new_device": is_new[Kind.DEVICE],
        "is_new_merchant": is_new[Kind.MERCHANT],
        "is_new_payee": is_new[Kind.PAYEE],
        "is_new_channel": is_new[Kind.CHANNEL],
        "is_new_currency": is_new[Kind.CURRENCY],
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


def _recent_amounts(
    facts: "PaymentFacts", recent: "RecentPayments", stop: int, factors: "Sequence[float]", amount_base: float
) -> "tuple[Sequence[float], float, float]":
    """Amounts of the first ``stop`` payments of the ring, their factor to the base currency, and this payment's beside them.

    They stay in minor units where all are in the payment's own currency, as with most users: integers are added and compared
    exactly, so that paying the same as ever is never "more than".
    """
    currencies = recent.currency
    factor = factors[facts.currency]
    if factor and currencies.count(facts.currency) == len(currencies):
        return recent.amount_minor[:stop], factor, facts.amount_minor
    return _in_base(recent.amount_minor[:stop], currencies[:stop], factors), 1.0, amount_base


def _in_base(amounts: "array[int]", currencies: "array[int]", factors: "Sequence[float]") -> list[float]:
    return list(map(mul, amounts, map(factors.__getitem__, currencies)))


def _totals(buckets: "AmountBuckets", first: int, last: int, factors: "Sequence[float]") -> tuple[int, float]:
    """Count and sum of the amounts in the buckets ``[first, last]``."""
    rows = buckets.window(first, last)
    return sum(buckets.count[rows]), sum(_in_base(buckets.sum_minor[rows], buckets.currency[rows], factors))


def _month(
    buckets: "AmountBuckets", day: int, factors: "Sequence[float]"
) -> tuple[int, float, int, float, float]:
    """Count and sum of the amounts of 7 days, and count, sum and sum of squares of those of 30, up to ``day``."""
    rows = buckets.window(day - 29, day)
    week = bisect_left(buckets.bucket, day - 6, rows.start, rows.stop) - rows.start
    counts, sums, currencies = buckets.count[rows], buckets.sum_minor[rows], buckets.currency[rows]
    low, high = buckets.squares_low[rows], buckets.squares_high[rows]
    one = currencies[0] if currencies else 0
    if currencies.count(one) == len(currencies):  # integers, added up exactly
        factor = factors[one]
        sum_7d, sum_30d = sum(sums[week:]) * factor, sum(sums) * factor
        squares = (sum(low) + (sum(high) << 64)) * factor**2
    else:
        weights = [factors[number] for number in currencies]
        amounts = list(map(mul, sums, weights))
        sum_7d, sum_30d = sum(amounts[week:]), sum(amounts)
        squares = sum(map(mul, map(mul, low, weights), weights))
        if any(high):
            squares += 2.0**64 * sum(map(mul, map(mul, high, weights), weights))
    return sum(counts[week:]), sum_7d, sum(counts), sum_30d, squares


def _spread(count: int, mean: float, squares: float) -> float:
    """Standard deviation from a sum of squares; 0 with too few amounts."""
    if count < MIN_PAYMENTS_FOR_SPREAD:
        return 0.0
    # The textbook formula cancels for a constant amount; what is left of it may be a hair below 0.
    return sqrt(max(squares / count - mean * mean, 0.0))


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


def _is_country_change(facts: "PaymentFacts", profile: "Profile", stop: int) -> bool:
    before = profile.recent.country[stop - 1] if stop else 0
    return bool(before and facts.country_hash and before != facts.country_hash)


def _habit_share(counts: bytearray, slot: int) -> float:
    total = sum(counts)
    if not total:
        return 0.0
    near = counts[slot - 1] + counts[slot] + counts[(slot + 1) % HOURS_PER_WEEK]
    return near / total
