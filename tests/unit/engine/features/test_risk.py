"""What labels say of a payment's entities, as features: late labels, the newest judged week of a merchant, and how fresh they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.entity_ids import EntityKind
from engine.entities.kinds import user_hash
from engine.entities.levels import WEEK_S
from engine.entities.risk import LEAST_USUAL_RATE, Risk, RiskReading
from engine.entities.state import Entity, Sighting
from engine.features import risk
from tests.support.feature_samples import TYPES

if TYPE_CHECKING:
    from contract.scored import FeatureValue

DAY_S = 86_400
NOW_S = 2_950 * WEEK_S + 3 * DAY_S
OWN = Sighting(NOW_S, user_hash("u"), is_micro=False, is_young=False, first_kinds=0, cents=500)


def ago(*days: float) -> tuple[int, ...]:
    """Times so many days ago, ascending."""
    return tuple(sorted(NOW_S - round(each * DAY_S) for each in days))


def merchant(payments_a_day: int) -> Entity:
    """A merchant with so many payments on each of the last 28 days."""
    entity = Entity()
    for number in range(28 * payments_a_day):
        at_s = NOW_S - 60 - number * DAY_S // payments_a_day
        entity.fold(Sighting(at_s, user_hash(str(number)), False, False, 0, 100), EntityKind.MERCHANT)
    entity.first_s = NOW_S - 60 * DAY_S
    return entity


def emptied(hours: float) -> Entity:
    """A merchant with ten payments since the cache lost what it knew, so many hours ago."""
    entity = Entity()
    for number in range(10):
        at_s = NOW_S - round(hours * 3_600 * (number + 1) / 10)
        entity.fold(Sighting(at_s, user_hash(str(number)), False, False, 0, 100), EntityKind.MERCHANT)
    return entity


def features(
    of_merchant: Risk | None = None, entity: Entity | None = None, usual_rate: float = LEAST_USUAL_RATE
) -> dict[str, FeatureValue]:
    risks: list[Risk | None] = [None] * len(EntityKind)
    entities: list[Entity | None] = [None] * len(EntityKind)
    risks[EntityKind.MERCHANT], entities[EntityKind.MERCHANT] = of_merchant, entity
    return risk.compute(entities, RiskReading(tuple(risks), usual_rate), OWN)


def week_rate(of_merchant: Risk, entity: Entity | None = None, usual_rate: float = 0.002) -> float:
    return float(features(of_merchant, entity, usual_rate)["merchant_fraud_rate_7d"])


def test_features_are_those_that_are_defined_with_their_types() -> None:
    values = features(Risk(ago(8, 9), 0, NOW_S), merchant(1))

    assert list(values) == [each.name for each in risk.FEATURES]
    assert [type(value) for value in values.values()] == [TYPES[each.type] for each in risk.FEATURES]


def test_without_labels_all_are_absent_but_the_usual_rate() -> None:
    assert features(usual_rate=0.01) == risk.ABSENT | {"usual_fraud_rate_30d": 0.01}


@pytest.mark.parametrize("delay_days", [0.5, 1, 7, 14, 30])
def test_a_merchant_where_every_payment_is_fraud_is_seen_however_late_labels_are(delay_days: float) -> None:
    frauds = ago(*(delay_days + 0.1 + day for day in range(7)))
    known_s = frauds[-1] + round(delay_days * DAY_S)

    assert week_rate(Risk(frauds, 0, known_s), merchant(1)) == pytest.approx(7 / 12, abs=0.02)


def test_the_share_falls_once_labels_of_later_payments_could_be_there() -> None:
    frauds = ago(*(17.1 + day for day in range(7)))
    known_s = frauds[-1] + 7 * DAY_S  # ten days ago: of ten later days nobody complained

    assert week_rate(Risk(frauds, 0, known_s), merchant(1)) < 0.01


def test_an_honest_label_on_a_later_payment_says_up_to_when_payments_are_judged() -> None:
    frauds, honest_s = ago(*(20.0 + day for day in range(7))), NOW_S - 7 * DAY_S

    assert week_rate(Risk(frauds, honest_s, NOW_S), merchant(1)) < 0.01


def test_at_a_busy_merchant_the_same_frauds_are_a_small_share() -> None:
    frauds = ago(*(7.1 + day for day in range(7)))
    found = Risk(frauds, 0, NOW_S)

    assert week_rate(found, merchant(1)) > 10 * week_rate(found, merchant(40))


def test_one_fraud_at_a_merchant_without_other_payments_is_a_weak_sign() -> None:
    entity = Entity()
    entity.fold(Sighting(NOW_S - 7 * DAY_S, user_hash("victim"), False, False, 0, 100), EntityKind.MERCHANT)

    assert week_rate(Risk(ago(7), 0, NOW_S), entity) == pytest.approx((1 + 5 * 0.002) / 6, abs=0.001)


@pytest.mark.parametrize("hours", [0.1, 3, 30])
def test_frauds_among_payments_that_the_cache_has_lost_are_no_share_of_those_since(hours: float) -> None:
    frauds = Risk(ago(*(7.1 + day for day in range(7))), 0, NOW_S)

    for entity in (None, Entity(), emptied(hours)):
        values = features(frauds, entity, 0.002)
        assert values["merchant_frauds_30d"] == 7
        assert float(values["merchant_fraud_rate_7d"]) <= 0.002
        assert float(values["merchant_fraud_rate_30d"]) <= 0.002


def test_frauds_of_other_weeks_do_not_count() -> None:
    assert week_rate(Risk(ago(7.5, 15, 16, 17, 18), 0, NOW_S), merchant(1)) == week_rate(
        Risk(ago(7.5), 0, NOW_S), merchant(1)
    )


def test_age_is_that_of_the_newest_label() -> None:
    assert features(Risk(ago(9), 0, NOW_S - 2 * DAY_S), merchant(1))["risk_age_days"] == 2
