"""What labels say of the payment's merchant, device, IP address, card and payee: earlier payments there that were called fraud.

Labels come late. A feature knows those that were known when the payment was scored. The share of fraud is smoothed; the payments that
it is a share of are those of the entity's last six weeks, by all users. Frauds of before the entity's first payment that the cache knows are in no
share: the cache has lost the payments that they were among.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contract.clock import MAX_BEHIND_MS
from contract.entity_ids import EntityKind
from engine.entities.kinds import KIND_NAMES, KIND_PHRASES
from engine.entities.levels import PAYMENTS, total
from engine.entities.risk import fraud_rate
from engine.entities.state import NO_TIME
from engine.features.definition import FeatureDefinition, absent_values, double, integer
from engine.features.windows import rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.scored import FeatureValue
    from engine.entities.past import Past
    from engine.entities.risk import Risk, RiskReading
    from engine.entities.state import Entity, Sighting

KINDS: Final = (EntityKind.MERCHANT, EntityKind.DEVICE, EntityKind.IP, EntityKind.CARD, EntityKind.PAYEE)
_WITH_RUN: Final = (EntityKind.MERCHANT, EntityKind.DEVICE)
_S_PER_DAY: Final = 86_400
_DAYS_30_S: Final = 30 * _S_PER_DAY
_WEEK_S: Final = 7 * _S_PER_DAY
_CLOCK_DIFFERENCE_S: Final = MAX_BEHIND_MS // 1000
_HOURS_PER_WEEK: Final = 168.0
_HOURS_PER_DAY: Final = 24.0
_PRIOR_PAYMENTS_WEEK: Final = 5.0
"""How many payments with the usual share of fraud a merchant's week is mixed with."""


def _definitions(kind: EntityKind) -> tuple[FeatureDefinition, ...]:
    name, where = KIND_NAMES[kind], KIND_PHRASES[kind]
    always = (
        integer(f"{name}_frauds_30d", "1", f"Payments {where} in 30 days that were called fraud."),
        double(
            f"{name}_fraud_rate_30d", "1", f"Share of fraud among the payments {where} in 30 days, smoothed."
        ),
        double(f"{name}_days_since_fraud", "d", "Since the latest payment of these; 0 without one."),
    )
    if kind not in _WITH_RUN:
        return always
    return (
        *always,
        integer(
            f"{name}_fraud_run", "1", f"Payments {where} that were called fraud since one was called honest."
        ),
        double(f"{name}_fraud_run_days", "d", "Since the first of that run; 0 without one."),
    )


FEATURES: Final[tuple[FeatureDefinition, ...]] = (
    *(each for kind in KINDS for each in _definitions(kind)),
    double(
        "merchant_fraud_rate_7d",
        "1",
        "Share of fraud among the payments to this merchant in the last seven days that can have been judged by now, smoothed.",
    ),
    double(
        "usual_fraud_rate_30d",
        "1",
        "Share of fraud among all payments of 30 days, as far as it is known; at least 0.001.",
    ),
    double("risk_age_days", "d", "Since the newest label of any of these became known; 0 without one."),
)

ABSENT: Final[dict[str, FeatureValue]] = absent_values(FEATURES)
"""Of a payment whose entities have no labels."""


def compute(
    entities: Sequence[Entity | None], reading: RiskReading, own: Sighting
) -> dict[str, FeatureValue]:
    """Compute :data:`FEATURES`, by name, in their order.

    Parameters
    ----------
    entities : Sequence[Entity | None]
        By kind: the payment's entities before it.
    reading : RiskReading
        What labels say of them.
    own : Sighting
        The payment itself.
    """
    values = dict(ABSENT)
    values["usual_fraud_rate_30d"] = rounded(reading.usual_rate)
    clock_s, known_s = own.clock_s, 0
    for kind in KINDS:
        entity, risk = entities[kind], reading.risks[kind]
        if risk is not None and risk.frauds_s:
            known_s = max(known_s, risk.known_s)
            values.update(_of_entity(kind, risk, entity, clock_s, reading.usual_rate))
            if kind is EntityKind.MERCHANT:
                values["merchant_fraud_rate_7d"] = _week_rate(risk, entity, clock_s, reading.usual_rate)
    if known_s:
        values["risk_age_days"] = rounded(max(clock_s - known_s, 0) / _S_PER_DAY)
    return values


def _of_entity(
    kind: EntityKind, risk: Risk, entity: Entity | None, clock_s: int, usual_rate: float
) -> dict[str, FeatureValue]:
    name, latest_s = KIND_NAMES[kind], risk.latest(clock_s)
    among = _frauds_among_known(risk, entity, clock_s - _DAYS_30_S, clock_s)
    payments = 0 if entity is None else _payments(entity.past(clock_s))
    values: dict[str, FeatureValue] = {
        f"{name}_frauds_30d": risk.frauds(clock_s - _DAYS_30_S, clock_s),
        f"{name}_fraud_rate_30d": rounded(fraud_rate(among, max(payments, among), usual_rate)),
        f"{name}_days_since_fraud": _days(clock_s, latest_s),
    }
    if kind in _WITH_RUN:
        length, first_s = risk.run(clock_s)
        values[f"{name}_fraud_run"] = length
        values[f"{name}_fraud_run_days"] = _days(clock_s, first_s)
    return values


def _week_rate(risk: Risk, entity: Entity | None, clock_s: int, usual_rate: float) -> float:
    """Share of fraud in the newest week that labels say something of: labels are as late as the newest one was.

    Nobody counts the payments of that week, so it is taken to have as many as the entity's weeks have in the mean.
    """
    until_s = risk.judged_until(clock_s)
    frauds = _frauds_among_known(risk, entity, until_s - _WEEK_S, until_s)
    payments = 0.0
    if entity is not None:
        past = entity.past(clock_s)
        weeks = max((past.hours + _HOURS_PER_DAY) / _HOURS_PER_WEEK, 1.0)
        payments = _payments(past) / weeks
    share = (frauds + _PRIOR_PAYMENTS_WEEK * usual_rate) / (max(payments, frauds) + _PRIOR_PAYMENTS_WEEK)
    return rounded(share)


def _frauds_among_known(risk: Risk, entity: Entity | None, after_s: int, until_s: int) -> int:
    """Frauds in ``(after_s, until_s]`` among payments that the entity's counts can hold."""
    if entity is None or entity.first_s == NO_TIME:
        return 0
    # A fraud is known by its event time, which may be earlier than the clock by which the entity counted it.
    return risk.frauds(max(after_s, entity.first_s - _CLOCK_DIFFERENCE_S), until_s)


def _payments(past: Past) -> int:
    return past.payments() + total(past.day, PAYMENTS)


def _days(clock_s: int, since_s: int) -> float:
    return rounded((clock_s - since_s) / _S_PER_DAY) if since_s else 0.0
