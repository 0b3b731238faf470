"""The user's habits, and how long the history is."""

from __future__ import annotations

import pytest

from tests.support.feature_samples import before, features_of, now


def test_habit_is_the_share_of_payments_around_this_hour_of_the_week() -> None:
    week = 7 * 24 * 60
    earlier = [before(week), before(2 * week - 60), before(3 * week + 60), before(week + 600)]

    assert features_of(now(), *earlier)["hour_of_week_share"] == 0.75


def test_a_sleeper_shows_by_the_days_since_the_last_payment() -> None:
    features = features_of(now(), before(90 * 24 * 60))

    assert features["days_since_last_tx"] == pytest.approx(90.0)
    assert features["account_age_days"] == pytest.approx(90.0)
    assert features["tx_rate_ratio_24h"] == 1.0
