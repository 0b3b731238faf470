"""The payment itself: what is known of it without its user's past."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.support.feature_samples import features_of, now


@pytest.mark.parametrize(
    ("amount", "is_round", "is_just_below", "is_micro"),
    [
        ("100.00", True, False, False),
        ("99.99", False, False, False),
        ("0.00", False, False, True),
        ("2.00", False, False, True),
        ("950.00", False, True, False),
        ("949.99", False, False, False),
        ("1000.00", True, False, False),
        ("9999.99", False, True, False),
    ],
)
def test_the_amounts_own_looks(amount: str, is_round: bool, is_just_below: bool, is_micro: bool) -> None:
    features = features_of(now(amount=Decimal(amount)))

    assert features["is_round_amount"] is is_round
    assert features["is_just_below_threshold"] is is_just_below
    assert features["is_micro_amount"] is is_micro
