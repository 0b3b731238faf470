"""What was decided about the user's payments lately."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.features.catalogue import compute_features
from engine.profile.recent_payments import RING_CAPACITY
from tests.support.feature_samples import RATES
from tests.support.histories import DAY_S, HOUR_S, Event, facts_at, folded
from tests.support.payments import APPROVED, BLOCKED, REVIEWED

if TYPE_CHECKING:
    from contract.scored import FeatureValue

NAMES = ("review_count_24h", "review_count_30d", "block_count_24h", "block_count_30d")


def counts_after(history: list[Event], at_s: float) -> list[FeatureValue]:
    features = compute_features(facts_at(at_s, "now"), folded(history), RATES)[0]
    return [features[name] for name in NAMES]


def test_user_whose_payments_were_all_approved_was_never_stopped() -> None:
    history = [Event(facts_at(number * HOUR_S, f"t-{number}"), APPROVED) for number in range(10)]

    assert counts_after(history, 10 * HOUR_S) == [0, 0, 0, 0]


def test_reviewed_and_blocked_payments_are_counted_apart_in_24_hours_and_30_days() -> None:
    history = [
        Event(facts_at(0, "a"), REVIEWED),
        Event(facts_at(5 * DAY_S, "b"), BLOCKED),
        Event(facts_at(20 * DAY_S, "c"), REVIEWED),
        Event(facts_at(20 * DAY_S + 60, "d"), REVIEWED),
        Event(facts_at(20 * DAY_S + 120, "e"), BLOCKED),
        Event(facts_at(20 * DAY_S + 180, "f"), APPROVED),
    ]

    assert counts_after(history, 20 * DAY_S + HOUR_S) == [2, 3, 1, 2]


@pytest.mark.parametrize(("after_s", "counted"), [(DAY_S - 0.001, 1), (DAY_S, 0), (DAY_S + 1, 0)])
def test_payment_of_24_hours_ago_is_no_longer_counted_in_the_day(after_s: float, counted: int) -> None:
    assert counts_after([Event(facts_at(0, "t"), BLOCKED)], after_s) == [0, 0, counted, 1]


def test_decision_of_30_days_ago_is_no_longer_counted() -> None:
    history = [Event(facts_at(0, "t"), REVIEWED), Event(facts_at(1, "u"), BLOCKED)]

    assert counts_after(history, 29 * DAY_S)[1::2] == [1, 1]
    assert counts_after(history, 30 * DAY_S)[1::2] == [0, 0]


def test_decisions_beyond_the_ring_are_counted_in_the_hours() -> None:
    stopped = [
        Event(facts_at(number, f"s-{number}"), (REVIEWED, BLOCKED)[number % 2]) for number in range(20)
    ]
    many = [Event(facts_at(60 + number, f"t-{number}"), APPROVED) for number in range(RING_CAPACITY)]

    assert counts_after([*stopped, *many], 2 * HOUR_S) == [10, 10, 10, 10]


def test_what_was_decided_later_does_not_count_for_a_late_payment() -> None:
    history = [Event(facts_at(HOUR_S, "t"), BLOCKED), Event(facts_at(HOUR_S + 1, "u"), REVIEWED)]

    assert counts_after(history, HOUR_S - 60) == [0, 0, 0, 0]
