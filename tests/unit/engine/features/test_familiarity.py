"""What the user has used before, and for how long."""

from __future__ import annotations

import pytest

from tests.support.feature_samples import before, features_of, now
from tests.support.payments import BLOCKED, REVIEWED


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


DAY = 60 * 24


def known_for(*days: float) -> dict[str, object]:
    """Features of a payment whose values were all used so many days before."""
    values = {"payee_id": "known", "location": "Lyon, FR"}
    return {**features_of(now(**values), *(before(DAY * day, **values) for day in days))}


@pytest.mark.parametrize("kind", ["device", "payee", "merchant", "country"])
@pytest.mark.parametrize(
    ("days", "count", "age", "is_unfamiliar"),
    [
        ((3, 2, 1), 3, 3.0, False),
        ((400, 2, 1), 3, 400.0, False),
        ((2.9999, 2, 1), 3, 2.9999, True),
        ((3, 1), 2, 3.0, True),
        ((400,), 1, 400.0, True),
        ((0.4, 0.3, 0.2, 0.1), 4, 0.4, True),
    ],
)
def test_value_is_familiar_by_its_number_and_its_age_and_not_by_one_sighting(
    kind: str, days: tuple[float, ...], count: int, age: float, is_unfamiliar: bool
) -> None:
    features = known_for(*days)

    assert features[f"{kind}_tx_count"] == count
    assert features[f"{kind}_age_days"] == pytest.approx(age, abs=1e-3)
    assert features[f"is_unfamiliar_{kind}"] is is_unfamiliar
    assert features[f"is_new_{kind}"] is False


def test_payment_that_names_no_value_has_no_unfamiliar_one() -> None:
    features = features_of(now(device_id=None, payee_id=None, merchant_id=None, location=None), before(5))

    for kind in ("device", "payee", "merchant", "country"):
        assert features[f"is_unfamiliar_{kind}"] is features[f"is_new_{kind}"] is False
        assert (features[f"{kind}_tx_count"], features[f"{kind}_age_days"]) == (0, 0.0)


def test_everything_is_unfamiliar_in_a_first_payment_and_nothing_new() -> None:
    features = features_of(now(payee_id="p"))

    for kind in ("device", "payee", "merchant", "country"):
        assert features[f"is_unfamiliar_{kind}"] is True
        assert features[f"is_new_{kind}"] is False


def test_values_of_stopped_payments_stay_new() -> None:
    for outcome in (BLOCKED, REVIEWED):
        stopped = [before(DAY * day, device_id="d-2") for day in (5, 4, 3, 2)]

        features = features_of(now(device_id="d-2"), *stopped, outcome=outcome)

        assert features["device_tx_count"] == 0
        assert features["is_unfamiliar_device"] is True


def test_late_payment_is_not_older_than_what_it_is_compared_with() -> None:
    late = before(60)

    assert features_of(late, now())["device_age_days"] == 0.0
