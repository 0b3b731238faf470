"""The user's habits, and how long the history is."""

from __future__ import annotations

import pytest

from engine.features.catalogue import compute_features
from tests.support.feature_samples import RATES, before, features_of, now
from tests.support.histories import Event, folded
from tests.support.payments import APPROVED, BLOCKED, REVIEWED, trusted_facts


def test_habit_is_the_share_of_payments_around_this_hour_of_the_week() -> None:
    week = 7 * 24 * 60
    earlier = [before(week), before(2 * week - 60), before(3 * week + 60), before(week + 600)]

    assert features_of(now(), *earlier)["hour_of_week_share"] == 0.75


def test_a_sleeper_shows_by_the_days_since_the_last_payment() -> None:
    features = features_of(now(), before(90 * 24 * 60))

    assert features["days_since_last_tx"] == pytest.approx(90.0)
    assert features["account_age_days"] == pytest.approx(90.0)
    assert features["tx_rate_ratio_24h"] == 1.0


def test_thief_who_is_stopped_does_not_wake_a_dormant_account() -> None:
    dormant = before(90 * 24 * 60)
    profile = folded([Event(trusted_facts(dormant), APPROVED), Event(trusted_facts(before(10)), BLOCKED)])

    features = compute_features(trusted_facts(now()), profile, RATES)[0]

    assert features["days_since_last_tx"] == pytest.approx(90.0)
    assert features["minutes_since_last_tx"] == pytest.approx(10.0)
    assert (features["profile_tx_count"], features["usual_tx_count"]) == (2, 1)


def test_hours_of_stopped_payments_are_no_habit() -> None:
    for outcome in (BLOCKED, REVIEWED):
        features = features_of(now(), before(7 * 24 * 60), outcome=outcome)

        assert features["hour_of_week_share"] == 0.0
        assert features["days_since_last_tx"] == 0.0
