"""What the payment leaves out although the user's payments usually name it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.feature_samples import before, features_of, now
from tests.support.payments import BERLIN, BLOCKED, REVIEWED

DAY = 60 * 24
NAMES = ("missing_device_share", "missing_counterparty_share", "missing_place_share")
NOTHING: dict[str, Any] = dict.fromkeys(("device_id", "merchant_id", "payee_id", "location"))


def missing(current: dict[str, Any], *earlier: dict[str, Any], first_day: float = 60) -> list[Any]:
    """The three shares of a payment after others, one a day."""
    past = [before(DAY * (first_day - day), **changes) for day, changes in enumerate(earlier)]
    features = features_of(now(**current), *past)
    return [features[name] for name in NAMES]


def test_payment_that_names_all_misses_nothing() -> None:
    assert missing({}, *[{}] * 10) == [0.0, 0.0, 0.0]


def test_payment_that_names_nothing_misses_what_the_user_usually_names() -> None:
    assert missing(NOTHING, *[{}] * 8) == [0.8, 0.8, 0.8]


def test_without_usual_payments_nothing_is_missing() -> None:
    assert missing(NOTHING) == [0.0, 0.0, 0.0]


def test_field_that_the_user_never_names_is_not_missing() -> None:
    assert missing(NOTHING, *[{"device_id": None}] * 8) == [0.0, 0.8, 0.8]


@pytest.mark.parametrize("named", [{"merchant_id": "m"}, {"payee_id": "p"}])
def test_merchant_or_payee_is_somebody_who_is_paid(named: dict[str, str]) -> None:
    assert missing(NOTHING | named, *[{}] * 8)[1] == 0.0


@pytest.mark.parametrize(
    ("location", "share"),
    [(None, 0.8), ("somewhere", 0.8), ("Bonn, DE", 0.0), (BERLIN, 0.0)],
)
def test_place_is_missing_without_country_and_coordinates(location: Any, share: float) -> None:
    assert missing({"location": location}, *[{}] * 8)[2] == share


def test_share_is_that_of_the_payments_own_channel_where_there_are_five() -> None:
    mixed = [{"channel": "pos", "device_id": None}] * 8 + [{"channel": "online"}] * 6

    assert missing(NOTHING | {"channel": "pos"}, *mixed)[0] == 0.0
    assert missing(NOTHING | {"channel": "online"}, *mixed)[0] == 0.75
    assert missing(NOTHING | {"channel": "app"}, *mixed)[0] == pytest.approx(6 / 16)
    assert missing(NOTHING | {"channel": "online"}, *mixed[:-2])[0] == pytest.approx(4 / 14, abs=1e-4)


@pytest.mark.parametrize("channel", [None, "carrier pigeon", "fee"])
def test_payment_without_a_known_channel_is_compared_with_the_channel_that_names_most(
    channel: str | None,
) -> None:
    mixed = [{"channel": "pos", "device_id": None}] * 8 + [{"channel": "online"}] * 6

    assert missing(NOTHING | {"channel": channel}, *mixed)[0] == 0.75


def test_payments_of_the_last_three_days_are_not_looked_at_where_there_are_older_ones() -> None:
    older = [before(DAY * (60 - day)) for day in range(10)]
    young = [before(day * 400 + 1, **NOTHING) for day in range(10)]

    features = features_of(now(**NOTHING), *older, *young)

    assert [features[name] for name in NAMES] == pytest.approx([10 / 12] * 3, abs=1e-4)


def test_of_young_payments_alone_the_oldest_eight_are_looked_at() -> None:
    young = [before(200 - minute) for minute in range(8)] + [before(m, **NOTHING) for m in range(8)]

    assert features_of(now(**NOTHING), *young)["missing_device_share"] == 0.8


def test_payments_that_were_stopped_say_nothing() -> None:
    for outcome in (BLOCKED, REVIEWED):
        features = features_of(now(**NOTHING), *(before(DAY * day) for day in range(2, 12)), outcome=outcome)

        assert [features[name] for name in NAMES] == [0.0, 0.0, 0.0]


def test_share_is_the_same_whatever_came_later() -> None:
    """A late payment is compared with what was usual before it."""
    earlier = [before(DAY * (60 - day)) for day in range(10)]
    later = [before(DAY * (20 - day), **NOTHING) for day in range(10)]

    features = features_of(before(DAY * 30, **NOTHING), *earlier, *later)

    assert features["missing_device_share"] == pytest.approx(10 / 12, abs=1e-4)
