"""Features of one payment against its user's profile, as the catalogue defines them. Pure: values in, values out.

The profile holds what was folded before this payment. Windows end at the payment's event time and include it; payments
with a later event time, folded already because this one is late, are left out where the ring can tell them apart.
"""

from bisect import bisect_right
from math import sqrt
from typing import TYPE_CHECKING, Final, Protocol

from contract.currency import MINOR_UNIT_EXPONENT
from contract.transaction import Location, Transaction
from score.geo import Fix, distance_km, implied_speed_kmh
from score.profile.hashing import CURRENCY_CODES
from score.profile.profile import HOURS_PER_WEEK, MS_PER_DAY, MS_PER_HOUR, hour_of_week
from score.profile.seen import Kind

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

    from contract.scored import FeatureValue
    from score.profile import Profile
    from score.profile.buckets import AmountBuckets
    from score.profile.profile import PaymentFacts

ROUND_AMOUNT_MULTIPLE: Final = 100
REPORTING_THRESHOLDS_BASE: Final = (1_000.0, 3_000.0, 5_000.0, 10_000.0)
"""Amounts in the base currency below which structured payments hide."""
JUST_BELOW_SHARE: Final = 0.05
MICRO_AMOUNT_BASE: Final = 2.0
MIN_PAYMENTS_FOR_SPREAD: Final = 5
"""Fewer payments say nothing of the spread."""
DIGITS: Final = 4
"""Decimals of what is computed. A row holds every feature, and must hold what the rules saw: the float's other twelve digits
mean nothing and would make most rows cost a second write unit."""
MIN_SPREAD_SHARE: Final = 0.1
"""The standard deviation counts as at least this share of the mean: who always pays 9.99 is not amazed by 10.50."""

_MINUTE_MS: Final = 60_000
_MS_PER_MINUTE_F: Final = 60_000.0


class Rates(Protocol):
    """What features need of a ruleset."""

    def rate(self, currency: str) -> float | None:
        """Base-currency units per major unit of ``currency``; None where the ruleset does not know it."""
        ...


def compute_features(facts: "PaymentFacts", profile: "Profile", rates: Rates) -> "dict[str, FeatureValue]":
    """Compute every feature of the catalogue.

    Parameters
    ----------
    facts : PaymentFacts
        The payment.
    profile : Profile
        Its user's, before the payment is folded; not changed.
    rates : Rates
        Exchange rates to the base currency. An amount in a currency without a rate counts as 0; rules see
        ``is_rate_known``.

    Returns
    -------
    dict[str, FeatureValue]
        Name to value, in the order of the catalogue.
    """
    transaction, at_ms = facts.transaction, facts.at_ms
    recent = profile.recent
    factors = _Factors(rates)
    amount = float(transaction.amount)
    amount_base = amount * (rates.rate(transaction.currency) or 0.0)

    times = recent.at_ms
    stop = bisect_right(times, at_ms)
    bases = _in_base(recent.amount_minor[:stop], recent.currency[:stop], factors)
    from_1m = bisect_right(times, at_ms - _MINUTE_MS)
    from_10m = bisect_right(times, at_ms - 10 * _MINUTE_MS)
    from_1h = bisect_right(times, at_ms - MS_PER_HOUR)
    hour, day = at_ms // MS_PER_HOUR, at_ms // MS_PER_DAY

    count_1h, sum_1h = stop - from_1h, sum(bases[from_1h:])
    if not recent.covers_since(at_ms - MS_PER_HOUR):
        count_hour, sum_hour = _totals(profile.hours, hour, hour, factors)
        count_1h, sum_1h = max(count_1h, count_hour), max(sum_1h, sum_hour)
    if recent.covers_since(at_ms - MS_PER_DAY):
        from_24h = bisect_right(times, at_ms - MS_PER_DAY)
        count_24h, sum_24h = stop - from_24h, sum(bases[from_24h:])
    else:
        from_24h = 0
        count_24h, sum_24h = _totals(profile.hours, hour - 23, hour, factors)
    count_7d, sum_7d = _totals(profile.days, day - 6, day, factors)
    count_30d, sum_30d = _totals(profile.days, day - 29, day, factors)
    mean_30d = sum_30d / count_30d if count_30d else 0.0
    std_30d = _spread(profile.days, day - 29, day, factors, count_30d, mean_30d)
    here, there = _fix(transaction, at_ms), profile.last_place
    apart_km = distance_km(there, here) if here is not None and there is not None else 0.0
    speed_kmh = implied_speed_kmh(there, here, apart_km) if here is not None and there is not None else 0.0

    previous_ms = times[stop - 1] if stop else 0
    since_last_ms = at_ms - previous_ms if stop else 0
    age_ms = max(at_ms - profile.first_at_ms, 0) if profile.tx_count else 0
    has_past = profile.tx_count > 0
    first_seen_s = profile.seen.first_seen_s
    device, payee = facts.seen[Kind.DEVICE], facts.seen[Kind.PAYEE]
    device_s = None if device is None else first_seen_s(device)
    payee_s = None if payee is None else first_seen_s(payee)
    is_new = [has_past and value is not None and first_seen_s(value) is None for value in facts.seen]
    country = facts.country or ""
    at_s = at_ms // 1000

    return {
        "amount": amount,
        "amount_base": round(amount_base, DIGITS),
        "currency": transaction.currency,
        "country": country,
        "channel": transaction.channel or "",
        "merchant_category": transaction.merchant_category or "",
        "hour_of_day": hour % 24,
        "is_weekend": hour_of_week(hour) >= 120,
        "is_round_amount": amount > 0 and amount % ROUND_AMOUNT_MULTIPLE == 0,
        "is_just_below_threshold": _is_just_below(amount_base),
        "is_micro_amount": amount_base <= MICRO_AMOUNT_BASE,
        "amount_mean_30d_base": round(mean_30d, DIGITS),
        "amount_std_30d_base": round(std_30d, DIGITS),
        "amount_ratio_to_mean_30d": round(amount_base / mean_30d if mean_30d > 0 else 1.0, DIGITS),
        "amount_zscore_30d": round(_zscore(amount_base, mean_30d, std_30d, count_30d), DIGITS),
        "amount_percentile_recent": round(_share_below(bases, amount_base), DIGITS),
        "amount_max_recent_base": round(max(bases, default=0.0), DIGITS),
        "tx_count_1m": stop - from_1m + 1,
        "tx_count_10m": stop - from_10m + 1,
        "tx_count_1h": count_1h + 1,
        "tx_count_24h": count_24h + 1,
        "tx_count_7d": count_7d + 1,
        "tx_count_30d": count_30d + 1,
        "amount_sum_10m_base": round(sum(bases[from_10m:]) + amount_base, DIGITS),
        "amount_sum_1h_base": round(sum_1h + amount_base, DIGITS),
        "amount_sum_24h_base": round(sum_24h + amount_base, DIGITS),
        "amount_sum_7d_base": round(sum_7d + amount_base, DIGITS),
        "amount_sum_30d_base": round(sum_30d + amount_base, DIGITS),
        "tx_rate_ratio_24h": round(_rate_ratio(count_24h + 1, count_30d, age_ms), DIGITS),
        "micro_amount_count_1h": sum(map(MICRO_AMOUNT_BASE.__ge__, bases[from_1h:]))
        + (amount_base <= MICRO_AMOUNT_BASE),
        "merchant_count_1h": recent.distinct(recent.merchant, from_1h, stop, facts.merchant_hash),
        "card_count_1h": recent.distinct(recent.card, from_1h, stop, facts.card_hash),
        "country_count_24h": recent.distinct(recent.country, from_24h, stop, facts.country_hash),
        "minutes_since_last_tx": round(since_last_ms / _MS_PER_MINUTE_F, DIGITS),
        "is_location_known": here is not None,
        "distance_from_last_km": round(apart_km, DIGITS),
        "implied_speed_kmh": round(speed_kmh, DIGITS),
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
        "device_age_days": round(max(at_s - device_s, 0) / 86_400 if device_s is not None else 0.0, DIGITS),
        "payee_age_days": round(max(at_s - payee_s, 0) / 86_400 if payee_s is not None else 0.0, DIGITS),
        "hour_of_week_share": round(_habit_share(profile.hour_of_week, hour_of_week(hour)), DIGITS),
        "profile_tx_count": profile.tx_count,
        "account_age_days": round(age_ms / MS_PER_DAY, DIGITS),
        "days_since_last_tx": round(since_last_ms / MS_PER_DAY, DIGITS),
    }


class _Factors(dict[int, float]):
    """Currency number to base-currency units per minor unit; looked up in the ruleset once per currency and payment."""

    def __init__(self, rates: Rates) -> None:
        super().__init__()
        self._rates = rates

    def __missing__(self, number: int) -> float:
        code = CURRENCY_CODES[number]
        factor = (self._rates.rate(code) or 0.0) / 10.0 ** MINOR_UNIT_EXPONENT[code]
        self[number] = factor
        return factor


def _in_base(amounts: "array[int]", currencies: "array[int]", factors: _Factors) -> list[float]:
    if not amounts:
        return []
    first = currencies[0]
    if currencies.count(first) == len(currencies):  # as with most users: one look at the ruleset for all
        factor = factors[first]
        return [minor * factor for minor in amounts]
    return [minor * factors[number] for minor, number in zip(amounts, currencies, strict=True)]


def _totals(buckets: "AmountBuckets", first: int, last: int, factors: _Factors) -> tuple[int, float]:
    """Count and sum of the amounts in the buckets ``[first, last]``."""
    rows = buckets.window(first, last)
    sums, currencies = buckets.sum_minor[rows], buckets.currency[rows]
    if not sums:
        return 0, 0.0
    one = currencies[0]
    if currencies.count(one) == len(currencies):
        return sum(buckets.count[rows]), sum(sums) * factors[one]
    return sum(buckets.count[rows]), sum(_in_base(sums, currencies, factors))


def _spread(
    buckets: "AmountBuckets", first: int, last: int, factors: _Factors, count: int, mean: float
) -> float:
    """Standard deviation of the amounts in the buckets ``[first, last]``; 0 with too few of them."""
    if count < MIN_PAYMENTS_FOR_SPREAD:
        return 0.0
    rows = buckets.window(first, last)
    low, high, currencies = buckets.squares_low[rows], buckets.squares_high[rows], buckets.currency[rows]
    one = currencies[0]
    if currencies.count(one) == len(currencies):
        squares = (sum(low) + (sum(high) << 64)) * factors[one] ** 2
    else:
        squares = sum(
            (low[row] + (high[row] << 64)) * factors[number] ** 2 for row, number in enumerate(currencies)
        )
    # The textbook formula cancels for a constant amount; what is left of it may be a hair below 0.
    return sqrt(max(squares / count - mean * mean, 0.0))


def _zscore(amount: float, mean: float, std: float, count: int) -> float:
    if count < MIN_PAYMENTS_FOR_SPREAD or mean <= 0:
        return 0.0
    return (amount - mean) / max(std, MIN_SPREAD_SHARE * mean)


def _share_below(bases: "Sequence[float]", amount: float) -> float:
    return sum(map(amount.__gt__, bases)) / len(bases) if bases else 0.5


def _rate_ratio(count_24h: int, count_30d: int, age_ms: int) -> float:
    if not count_30d:
        return 1.0
    days = min(max(age_ms / MS_PER_DAY, 1.0), 30.0)
    return count_24h / (count_30d / days)


def _is_just_below(amount: float) -> bool:
    return any(
        threshold * (1 - JUST_BELOW_SHARE) <= amount < threshold for threshold in REPORTING_THRESHOLDS_BASE
    )


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
