"""What the user has used before, and for how long."""

from __future__ import annotations

import pytest

from tests.support.feature_samples import before, features_of, now


def test_what_was_seen_has_an_age_and_what_was_not_is_new() -> None:
    features = features_of(
        now(device_id="new", payee_id="known"), before(60 * 24 * 3, payee_id="known"), before(5)
    )

    assert features["is_new_device"] is True
    assert features["device_age_days"] == 0.0
    assert features["is_new_payee"] is False
    assert features["payee_age_days"] == pytest.approx(3.0)


def test_a_payment_without_a_device_is_not_from_a_new_one() -> None:
    assert features_of(now(device_id=None), before(5))["is_new_device"] is False
