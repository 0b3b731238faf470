"""What other users did lately with the payment's card, device, IP address, network, merchant and payee.

The payment itself counts. An hour has up to 5 minutes more, and a day up to an hour (:mod:`engine.entities.state`). *Usual* is the
rate of the entity's own weeks before the last day, up to six; the younger it is, the more the rate of all entities of its kind
counts, as if each had had a week of that: so an attack that goes on for days does not become usual by itself. Counts of users end at 32.
Every payment counts, and only approved ones teach what is usual.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contract.entity_ids import EntityKind
from engine.entities.kinds import KIND_NAMES, KIND_PHRASES
from engine.entities.levels import CENTS, FIRST, MICRO, PAYMENTS, YOUNG, total
from engine.entities.state import MAX_USERS
from engine.features.definition import absent_values, double, integer, string
from engine.features.windows import rounded

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.entities.book import EntityReading, Usual
    from engine.entities.state import Entity, Sighting
    from engine.features.definition import FeatureDefinition

    Values = dict[str, FeatureValue]

_MEASURES: Final = {
    "users_1h": (integer, "1", "Users who made payments {where} in an hour."),
    "users_24h": (integer, "1", "Users who made payments {where} in 24 hours."),
    "users_30d": (integer, "1", "Users who made payments {where} in 30 days."),
    "payments_1h": (integer, "1", "Payments {where} in an hour, by all users."),
    "usual_payments_1h": (double, "1", "How many payments {where} in an hour are usual."),
    "micro_payments_1h": (integer, "1", "Micro amounts {where} in an hour, by all users."),
    "usual_micro_payments_1h": (double, "1", "How many micro amounts {where} in an hour are usual."),
    "micro_payments_24h": (integer, "1", "Micro amounts {where} in 24 hours, by all users."),
    "young_payments_24h": (integer, "1", "Payments {where} in 24 hours by accounts younger than 7 days."),
    "usual_young_payments_24h": (double, "1", "How many such payments are usual among those of 24 hours."),
    "payments_24h": (integer, "1", "Payments {where} in 24 hours, by all users."),
    "mean_24h_base": (double, "base currency", "Their mean amount."),
    "usual_mean_base": (double, "base currency", "The usual mean amount; 0 without a past of any {kind}."),
    "first_payments_24h": (
        integer,
        "1",
        "Payments {where} in 24 hours of users who had no usual one to it before.",
    ),
    "usual_payments_24h": (double, "1", "How many payments {where} in 24 hours are usual, by all users."),
    "amount_24h_base": (double, "base currency", "Sum of the payments {where} in 24 hours, by all users."),
    "known_days": (
        double,
        "d",
        "Since the first payment {where}, by any user.",
    ),
}
"""What there is to know of an entity: type, unit and sentence."""

_MEASURES_OF: Final = {
    EntityKind.CARD: "users_24h users_30d payments_1h known_days",
    EntityKind.DEVICE: "users_1h users_24h users_30d payments_1h usual_payments_1h micro_payments_1h young_payments_24h known_days",
    EntityKind.IP: "users_1h users_24h payments_1h usual_payments_1h micro_payments_1h usual_micro_payments_1h known_days",
    EntityKind.NETWORK: "users_1h payments_1h usual_payments_1h micro_payments_1h usual_micro_payments_1h",
    EntityKind.MERCHANT: "users_1h payments_1h usual_payments_1h micro_payments_1h usual_micro_payments_1h micro_payments_24h young_payments_24h "
    "usual_young_payments_24h payments_24h mean_24h_base usual_mean_base known_days",
    EntityKind.PAYEE: "users_24h first_payments_24h usual_payments_24h amount_24h_base known_days",
}
"""What rules use of it, by kind: the features' names without the kind's, in their order."""


def _definition(kind: EntityKind, measure: str) -> FeatureDefinition:
    define, unit, sentence = _MEASURES[measure]
    name = KIND_NAMES[kind]
    return define(f"{name}_{measure}", unit, sentence.format(where=KIND_PHRASES[kind], kind=name))


FEATURES: Final[tuple[FeatureDefinition, ...]] = (
    string(
        "entities_warming_up",
        "Kinds of which nobody knows yet what is usual, such as `device payee`: none was seen, or the first one less than 14 days ago.",
    ),
    string(
        "entities_partial",
        "Payments may be missing in what is known across users: the longest window that is complete, `24h`, `1h` or `none`. Empty where all are.",
    ),
    string(
        "saturated_entities", "Kinds whose count of users has reached its end, 32, in one of its windows."
    ),
    *(_definition(kind, measure) for kind, names in _MEASURES_OF.items() for measure in names.split()),
)

_PRIOR_HOURS: Final = 168.0
"""How many hours of what is usual for its kind an entity's own past is mixed with."""
_PRIOR_PAYMENTS: Final = 20.0
"""The same for shares and means, in payments."""
_S_PER_HOUR: Final = 3_600
_S_PER_DAY: Final = 86_400
_DAYS_30_S: Final = 30 * _S_PER_DAY
_HOUR: Final = (_S_PER_HOUR,)
_DAY: Final = (_S_PER_DAY,)
_HOUR_DAY: Final = (_S_PER_HOUR, _S_PER_DAY)
_HOUR_DAY_30_DAYS: Final = (_S_PER_HOUR, _S_PER_DAY, _DAYS_30_S)
_DAY_30_DAYS: Final = (_S_PER_DAY, _DAYS_30_S)
ABSENT: Final[dict[str, FeatureValue]] = absent_values(FEATURES)
"""Of a payment that names no entity."""


def compute(reading: EntityReading, own: Sighting) -> Values:
    """Compute :data:`FEATURES`, by name, in their order.

    Parameters
    ----------
    reading : EntityReading
        What is known of the payment's entities before it.
    own : Sighting
        The payment itself.
    """
    values = dict(ABSENT)
    values["entities_warming_up"] = reading.warming_up
    values["entities_partial"] = reading.partial
    saturated = ""
    for kind, entity in enumerate(reading.entities):
        if entity is not None and _COMPUTATIONS[kind](values, entity, own, reading.usual[kind]) >= MAX_USERS:
            saturated += f" {KIND_NAMES[kind]}"
    values["saturated_entities"] = saturated[1:]
    return values


def _card(values: Values, entity: Entity, own: Sighting, _usual: Usual) -> int:
    clock_s = own.clock_s
    users_24h, users_30d = entity.users_with(own.user, clock_s, _DAY_30_DAYS)
    values["card_users_24h"] = users_24h
    values["card_users_30d"] = users_30d
    values["card_payments_1h"] = total(entity.last_hour(clock_s), PAYMENTS) + 1
    values["card_known_days"] = _known_days(entity, clock_s)
    return users_30d


def _device(values: Values, entity: Entity, own: Sighting, usual: Usual) -> int:
    clock_s = own.clock_s
    users_1h, users_24h, users_30d = entity.users_with(own.user, clock_s, _HOUR_DAY_30_DAYS)
    hour, past = entity.last_hour(clock_s), entity.past(clock_s)
    values["device_users_1h"] = users_1h
    values["device_users_24h"] = users_24h
    values["device_users_30d"] = users_30d
    values["device_payments_1h"] = total(hour, PAYMENTS) + 1
    values["device_usual_payments_1h"] = _rate(past.total(PAYMENTS), past.hours, usual.payments_per_hour)
    values["device_micro_payments_1h"] = total(hour, MICRO) + own.is_micro
    values["device_young_payments_24h"] = total(past.day, YOUNG) + own.is_young
    values["device_known_days"] = _known_days(entity, clock_s)
    return users_30d


def _ip(values: Values, entity: Entity, own: Sighting, usual: Usual) -> int:
    clock_s = own.clock_s
    users_1h, users_24h = entity.users_with(own.user, clock_s, _HOUR_DAY)
    hour, past = entity.last_hour(clock_s), entity.past(clock_s)
    values["ip_users_1h"] = users_1h
    values["ip_users_24h"] = users_24h
    values["ip_payments_1h"] = total(hour, PAYMENTS) + 1
    values["ip_usual_payments_1h"] = _rate(past.total(PAYMENTS), past.hours, usual.payments_per_hour)
    values["ip_micro_payments_1h"] = total(hour, MICRO) + own.is_micro
    values["ip_usual_micro_payments_1h"] = _rate(past.total(MICRO), past.hours, usual.micro_per_hour)
    values["ip_known_days"] = _known_days(entity, clock_s)
    return users_24h


def _network(values: Values, entity: Entity, own: Sighting, usual: Usual) -> int:
    clock_s = own.clock_s
    [users_1h] = entity.users_with(own.user, clock_s, _HOUR)
    hour, past = entity.last_hour(clock_s), entity.past(clock_s)
    values["network_users_1h"] = users_1h
    values["network_payments_1h"] = total(hour, PAYMENTS) + 1
    values["network_usual_payments_1h"] = _rate(past.total(PAYMENTS), past.hours, usual.payments_per_hour)
    values["network_micro_payments_1h"] = total(hour, MICRO) + own.is_micro
    values["network_usual_micro_payments_1h"] = _rate(past.total(MICRO), past.hours, usual.micro_per_hour)
    return users_1h


def _merchant(values: Values, entity: Entity, own: Sighting, usual: Usual) -> int:
    clock_s = own.clock_s
    [users_1h] = entity.users_with(own.user, clock_s, _HOUR)
    hour, past = entity.last_hour(clock_s), entity.past(clock_s)
    payments_24h = total(past.day, PAYMENTS) + 1
    past_payments = past.total(PAYMENTS)
    weight = past_payments + _PRIOR_PAYMENTS
    young_share = (past.total(YOUNG) + _PRIOR_PAYMENTS * usual.young_share) / weight
    usual_cents = (past.total(CENTS) + _PRIOR_PAYMENTS * usual.mean_cents) / weight
    values["merchant_users_1h"] = users_1h
    values["merchant_payments_1h"] = total(hour, PAYMENTS) + 1
    values["merchant_usual_payments_1h"] = _rate(past_payments, past.hours, usual.payments_per_hour)
    values["merchant_micro_payments_1h"] = total(hour, MICRO) + own.is_micro
    values["merchant_usual_micro_payments_1h"] = _rate(past.total(MICRO), past.hours, usual.micro_per_hour)
    values["merchant_micro_payments_24h"] = total(past.day, MICRO) + own.is_micro
    values["merchant_young_payments_24h"] = total(past.day, YOUNG) + own.is_young
    values["merchant_usual_young_payments_24h"] = rounded(young_share * payments_24h)
    values["merchant_payments_24h"] = payments_24h
    values["merchant_mean_24h_base"] = rounded((total(past.day, CENTS) + own.cents) / payments_24h / 100)
    values["merchant_usual_mean_base"] = rounded(usual_cents / 100)
    values["merchant_known_days"] = _known_days(entity, clock_s)
    return users_1h


def _payee(values: Values, entity: Entity, own: Sighting, usual: Usual) -> int:
    clock_s = own.clock_s
    [users_24h] = entity.users_with(own.user, clock_s, _DAY)
    past = entity.past(clock_s)
    values["payee_users_24h"] = users_24h
    values["payee_first_payments_24h"] = total(past.day, FIRST) + (own.first_kinds >> EntityKind.PAYEE & 1)
    values["payee_usual_payments_24h"] = rounded(
        24 * _rate(past.total(PAYMENTS), past.hours, usual.payments_per_hour)
    )
    values["payee_amount_24h_base"] = rounded((total(past.day, CENTS) + own.cents) / 100)
    values["payee_known_days"] = _known_days(entity, clock_s)
    return users_24h


_COMPUTATIONS: Final = (_card, _device, _ip, _network, _merchant, _payee)
"""By kind: writes the values, and returns the largest of its counts of users."""


def _known_days(entity: Entity, clock_s: int) -> float:
    return rounded(max(clock_s - entity.first_s, 0) / _S_PER_DAY)


def _rate(past: int, hours: float, usual_rate: float) -> float:
    """Per hour: the past's, as if a week of what is usual lay before it."""
    return rounded((past + usual_rate * _PRIOR_HOURS) / (hours + _PRIOR_HOURS))
