"""The default rules on what labels say: what they hold for, what honest people show, and that without labels none holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.decide import is_fraudulent
from engine.features import risk
from tests.support.default_rules import RULESET, whole_features
from tests.support.rule_samples import features, payment

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.decided import Assessment

COMPROMISED: dict[str, FeatureValue] = {
    "merchant_frauds_30d": 7,
    "merchant_fraud_run": 7,
    "merchant_fraud_run_days": 14.0,
    "merchant_days_since_fraud": 7.0,
    "merchant_fraud_rate_30d": 0.2,
    "usual_fraud_rate_30d": 0.008,
    "risk_age_days": 0.5,
}
COMMON: dict[str, FeatureValue] = {"usual_fraud_rate_30d": 0.008, "device_users_30d": 0, "channel": "online"}
"""Fraud is common, and the payment names no device."""


def decide(**values: FeatureValue) -> Assessment:
    return is_fraudulent(features(**whole_features(values)), payment(), RULESET)


def points_of_labels(**values: FeatureValue) -> int:
    """How many points the rules on labels give."""
    return decide(**values).points - decide(**values | dict(risk.ABSENT)).points


@pytest.mark.parametrize(("rate", "points"), [(0.1, 0), (0.16, 10), (0.31, 30), (0.41, 50), (0.56, 65)])
def test_the_larger_the_share_of_fraud_at_a_merchant_the_more_points(rate: float, points: int) -> None:
    assert points_of_labels(**COMPROMISED | {"merchant_fraud_rate_7d": rate}) == points


def test_a_share_of_fraud_that_is_usual_says_nothing() -> None:
    assert points_of_labels(merchant_fraud_rate_7d=0.16, usual_fraud_rate_30d=0.09) == 0


def test_what_was_three_weeks_ago_at_a_merchant_says_nothing() -> None:
    old = COMPROMISED | {"merchant_fraud_rate_7d": 0.6, "merchant_days_since_fraud": 21.0}

    assert points_of_labels(**old) == 0


def test_reasons_name_the_reports_in_words() -> None:
    assessment = decide(**COMPROMISED | {"merchant_fraud_rate_7d": 0.6})

    assert {reason.sentence for reason in assessment.reasons} >= {
        "Payments here in 30 days that were reported as fraud: 7; the last was 7 days ago.",
        "About 60% of a week's payments here were reported as fraud; 0.8% is usual.",
        "More than 40% of a week's payments here were reported as fraud; reports since one was called honest: 7.",
        "Most payments of a week here were reported as fraud.",
    }


@pytest.mark.parametrize(
    ("values", "points"),
    [
        ({"amount_ratio_to_median_recent": 3.5, "amount_ratio_to_p90_recent": 1.0}, 10),
        ({"amount_ratio_to_median_recent": 4.5, "amount_ratio_to_p90_recent": 1.0}, 20),
        ({"amount_ratio_to_median_recent": 4.5, "amount_ratio_to_p90_recent": 2.5}, 40),
        ({"amount_ratio_to_median_recent": 2.9, "amount_ratio_to_p90_recent": 2.5}, 0),
        ({"amount_ratio_to_median_recent": 4.5, "amount_ratio_to_p90_recent": 1.0, "usual_fraud_rate_30d": 0.03}, 45),
        ({"amount_ratio_to_median_recent": 4.5, "amount_ratio_to_p90_recent": 1.0, "usual_fraud_rate_30d": 0.002}, 0),
        ({"amount_ratio_to_median_recent": 4.5, "amount_ratio_to_p90_recent": 1.0, "amount_base": 300.0, "device_users_30d": 1}, 0),
        ({"amount_ratio_to_median_recent": 4.5, "amount_ratio_to_p90_recent": 1.0, "amount_base": 300.0, "channel": "in_person"}, 0),
    ],
)  # fmt: skip
def test_where_fraud_is_common_an_amount_that_is_high_for_the_user_counts(
    values: dict[str, FeatureValue], points: int
) -> None:
    assert points_of_labels(**COMMON | values) == points


def test_a_large_payment_of_a_new_user_says_nothing_of_the_kind() -> None:
    values = COMMON | {"amount_ratio_to_median_recent": 9.0, "usual_tx_count": 5}

    assert points_of_labels(**values) == 0


def test_the_owner_who_pays_on_after_a_fraud_from_the_own_phone_is_not_reviewed() -> None:
    own = {
        "device_frauds_30d": 4, "device_fraud_run": 4, "device_users_30d": 1,
        "ip_frauds_30d": 4, "ip_fraud_rate_30d": 0.1, "ip_users_24h": 1, "card_frauds_30d": 4,
    }  # fmt: skip

    assert points_of_labels(**own) == 10


def test_another_user_s_payment_from_a_device_with_fraud_is_nearly_a_review() -> None:
    shared = {
        "device_frauds_30d": 1, "device_fraud_run": 1, "device_users_30d": 2,
        "ip_frauds_30d": 1, "ip_fraud_rate_30d": 0.1, "ip_users_24h": 2,
    }  # fmt: skip

    assert points_of_labels(**shared) == 60


def test_a_payee_with_fraud_is_a_review() -> None:
    mule: dict[str, FeatureValue] = {
        "payee_frauds_30d": 1,
        "payee_fraud_rate_30d": 0.05,
        "usual_fraud_rate_30d": 0.02,
    }

    assert points_of_labels(**mule) == 50


def test_one_report_does_not_stop_payments_to_a_payee_whom_thousands_pay() -> None:
    popular: dict[str, FeatureValue] = {
        "payee_frauds_30d": 1,
        "payee_fraud_rate_30d": (1 + 20 * 0.001) / (3_000 + 20),
        "usual_fraud_rate_30d": 0.001,
    }

    assert points_of_labels(**popular) == 0
    assert points_of_labels(**popular, entities_partial="24h") == 50


def test_without_labels_no_rule_on_them_holds() -> None:
    ids = {
        reason.rule_id
        for reason in decide(**dict(risk.ABSENT) | {"amount_ratio_to_median_recent": 9.0}).reasons
    }

    assert not {each for each in ids if "fraud" in each or "compromised" in each or "steady" in each}
