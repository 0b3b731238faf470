"""What the sender claims, compared with what is known."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.features.catalogue import compute_features
from engine.profile import Profile
from tests.support.feature_samples import RATES, before, features_of, now
from tests.support.payments import NOW, arrived_facts, make_grocery_payment

if TYPE_CHECKING:
    from contract.scored import FeatureValue


def of_arrival(behind: timedelta) -> dict[str, FeatureValue]:
    """Features of a payment that arrives ``behind`` after the event time that its sender claims."""
    facts = arrived_facts(make_grocery_payment(timestamp=NOW - behind), NOW)
    return compute_features(facts, Profile(), RATES)[0]


@pytest.mark.parametrize(
    ("behind", "minutes", "is_believed"),
    [
        (timedelta(0), 0.0, True),
        (timedelta(seconds=90), 1.5, True),
        (timedelta(hours=24), 1440.0, True),
        (timedelta(hours=24, milliseconds=1), 1440.0, False),
        (timedelta(days=61), 61 * 1440.0, False),
        (timedelta(minutes=-10), -10.0, True),
        (timedelta(minutes=-11), -11.0, False),
        (timedelta(days=-900), -900 * 1440.0, False),
    ],
)
def test_delay_is_from_the_claimed_time_to_the_arrival_and_below_0_for_a_time_ahead(
    behind: timedelta, minutes: float, is_believed: bool
) -> None:
    features = of_arrival(behind)

    assert features["event_delay_minutes"] == pytest.approx(minutes, abs=1e-4)
    assert features["is_event_time_believed"] is is_believed


def test_payment_of_a_trusted_feed_has_no_delay_however_old_it_is() -> None:
    features = features_of(make_grocery_payment(timestamp=NOW - timedelta(days=900)))

    assert features["event_delay_minutes"] == 0.0
    assert features["is_event_time_believed"] is True


def test_hour_of_a_payment_whose_time_is_not_believed_is_that_of_its_arrival() -> None:
    believed, absurd = of_arrival(timedelta(hours=3)), of_arrival(timedelta(days=61, hours=3))

    assert (believed["hour_of_day"], absurd["hour_of_day"]) == (9, 12)


def test_id_is_reused_by_a_payment_that_differs_and_not_by_the_same_one() -> None:
    first = before(5)

    again = make_grocery_payment(transaction_id=first.transaction_id, timestamp=NOW)
    other = make_grocery_payment(transaction_id=first.transaction_id, timestamp=NOW, amount=Decimal(7))

    assert features_of(again, first)["is_transaction_id_reused"] is False
    assert features_of(other, first)["is_transaction_id_reused"] is True
    assert features_of(now(), first)["is_transaction_id_reused"] is False
