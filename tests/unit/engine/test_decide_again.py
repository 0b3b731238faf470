"""A stored payment is decided again as it was decided by the same rules, and by others as these decide about its features."""

from __future__ import annotations

from base64 import b64decode
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from contract.clock import TimeBasis
from contract.errors import InvalidRowError
from contract.exports import read_item, write_item
from contract.scored import Decision, from_history_item, to_history_item
from engine.decide import decide_again, is_fraudulent
from engine.features.catalogue import FEATURE_SET
from engine.features.stored import FeatureSetError, pack, unpack
from engine.rules.model_section import RulesetModel
from engine.rules.ruleset import Ruleset, parse_ruleset
from lab.models import model_of
from lab.simulated_rows import EXPIRES_AT_S, simulated_rows
from tests.support.model_samples import make_model
from tests.support.past_samples import FEATURES_OF_SET_861800, PACKED_BY_SET_861800
from tests.support.payments import NOW, make_scored, make_transaction
from tests.support.rule_samples import features, ruleset

if TYPE_CHECKING:
    from contract.scored import ScoredTransaction
    from engine.decided import Assessment

DEFAULT_RULES = Path("rules/default.yaml")
OTHER_RULES: list[dict[str, Any]] = [
    {"id": "dear", "when": "amount_base > 150.0 && !is_new_payee", "points": 55},
    {"id": "likely", "when": "fraud_probability > 0.02", "points": 30, "reason": "{fraud_probability:.0%}."},
    {"id": "fails", "when": "1 / review_count_24h > 0", "points": 5},
    {"id": "quiet", "when": "is_weekend", "points": 5, "mode": "shadow"},
]


def default_ruleset() -> Ruleset:
    """The default rules with the default model, whose probability gives points."""
    rules = parse_ruleset(DEFAULT_RULES.read_text())
    return rules.with_model(RulesetModel(model_of(Path("models/default.json")), ((0.01, 5), (0.1, 30))))


@cache
def exported_rows() -> list[ScoredTransaction]:
    """Simulated payments, stored, exported and read back."""
    return [
        from_history_item(read_item(write_item(to_history_item(each.row, EXPIRES_AT_S))))
        for each in simulated_rows(3_000, 7, default_ruleset())
    ]


def stored_assessment(row: ScoredTransaction) -> tuple[object, ...]:
    return row.decision, row.risk_score, row.reasons, row.shadow_rule_ids, row.failed_rule_ids


def as_stored(assessment: Assessment) -> tuple[object, ...]:
    return (
        assessment.decision,
        assessment.risk_score,
        assessment.reasons,
        assessment.shadow_rule_ids,
        assessment.failed_rule_ids,
    )


def scored(values: bytes, feature_set: str = FEATURE_SET, **changes: Any) -> ScoredTransaction:
    return make_scored(features=values, feature_set=feature_set, **changes)


def test_simulated_payments_are_decided_by_the_same_rules_as_their_rows_say() -> None:
    rows, rules = exported_rows(), default_ruleset()

    again = [decide_again(row, rules) for row in rows]

    assert [as_stored(each.assessment) for each in again] == [stored_assessment(row) for row in rows]
    assert {row.decision for row in rows} == set(Decision)
    assert [dict(each.features) for each in again] == [unpack(row.features, row.feature_set) for row in rows]


def test_other_rules_decide_about_the_features_of_then_and_their_own_model() -> None:
    model = make_model()
    rules = ruleset(*OTHER_RULES).with_model(RulesetModel(model, ((0.02, 20),)))

    for row in exported_rows():
        again = decide_again(row, rules)

        values = unpack(row.features, row.feature_set)
        values["fraud_probability"] = model.fraud_probability(values)
        assert again.assessment == is_fraudulent(values, row.transaction, rules, again.times.clock_ms)
        assert again.features["fraud_probability"] == values["fraud_probability"]


def test_rules_without_a_model_find_no_probability_of_another_one() -> None:
    row = scored(pack(features(fraud_probability=0.9)))

    again = decide_again(row, ruleset(*OTHER_RULES))

    assert again.features["fraud_probability"] == 0.0
    assert "likely" not in {reason.rule_id for reason in again.assessment.reasons}


@pytest.mark.parametrize(
    ("packed", "feature_set"),
    [
        (b64decode(PACKED_BY_SET_861800), "861800"),
        (msgspec.msgpack.encode(list(FEATURES_OF_SET_861800.values())), "3"),
    ],
)
def test_a_row_of_an_older_feature_set_is_decided_by_what_it_holds(packed: bytes, feature_set: str) -> None:
    rules = ruleset(
        {"id": "held", "when": "amount_base > 99.0 && tx_count_1h == 2", "points": 60},
        {"id": "lacked", "when": "merchant_frauds_30d > 0", "points": 20},
        {"id": "absent", "when": "merchant_frauds_30d == 0", "points": 7},
    )

    again = decide_again(scored(packed, feature_set), rules)

    assert {reason.rule_id for reason in again.assessment.reasons} == {"held", "absent"}
    assert (again.assessment.risk_score, again.assessment.decision) == (67, Decision.REVIEW)


@pytest.mark.parametrize(
    ("basis", "holds"), [(TimeBasis.TRUSTED, True), (TimeBasis.BELIEVED, False), (TimeBasis.APPENDED, False)]
)
def test_list_entries_expire_by_the_clock_that_the_row_believes(basis: TimeBasis, holds: bool) -> None:
    """The payment's event time is half a minute before the entry's end, and its record came at the end."""
    head = """\
version: "1"
base_currency: USD
thresholds: {review: 50, block: 80}
lists:
  devices: {field: device_id, entries: [{value: bad, until: 2026-03-01T12:00:00Z}]}
"""
    rules = ruleset({"id": "listed", "when": "on_devices"}, head=head)
    payment = make_transaction(device_id="bad", timestamp=NOW - timedelta(seconds=30))

    again = decide_again(scored(pack(features()), transaction=payment, basis=basis, appended_at=NOW), rules)

    assert bool(again.assessment.reasons) is holds


def test_damaged_features_are_refused_by_their_attribute() -> None:
    with pytest.raises(
        InvalidRowError, match=r"^transaction_history\.features: not those of the row's"
    ) as caught:
        decide_again(scored(b"\x93\x01\x02\x03"), ruleset())

    assert caught.value.attribute == "features"


def test_features_of_a_later_set_are_refused_by_its_name() -> None:
    with pytest.raises(FeatureSetError, match=r"^feature set 00aaff; known are "):
        decide_again(scored(pack(features()), "00aaff"), ruleset())


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("-1"), Decimal(2) ** 60])
def test_money_that_no_payment_has_is_refused_by_its_attribute(amount: Decimal) -> None:
    payment = msgspec.structs.replace(make_transaction(), amount=amount)

    with pytest.raises(InvalidRowError, match=r"^transaction_history\.detail: an amount"):
        decide_again(scored(pack(features()), transaction=payment), ruleset())
