from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.truth import Truth
from lab.backtest.outcomes import Outcomes, Users
from lab.backtest.ranking import (
    ALERT_WINDOW_MS,
    RankingMeasures,
    average_precision,
    card_precision,
    measure,
)
from ops.manifests import read_functions

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY_MS = 86_400_000
MINUTE_MS = 60_000


class Paid(NamedTuple):
    points: int
    is_fraud: bool = False
    user: int = 0
    at_ms: int = 0
    value: float | None = 1.0


payments = st.lists(
    st.builds(
        Paid,
        points=st.integers(-20, 30).map(lambda tens: 10 * tens) | st.sampled_from([0, 50]),
        is_fraud=st.booleans(),
        user=st.integers(0, 4),
        at_ms=st.integers(0, 3 * 24 * 6).map(lambda tens: tens * 10 * MINUTE_MS),
        value=st.none() | st.integers(0, 1000).map(float),
    ),
    max_size=40,
)


def average(paid: Sequence[Paid]) -> float | None:
    return average_precision(
        np.array([each.points for each in paid], np.int32),
        np.array([each.is_fraud for each in paid], np.bool_),
    )


def cards(paid: Sequence[Paid], tie_break: Sequence[int], k: int) -> float | None:
    return card_precision(
        np.array([each.at_ms // DAY_MS for each in paid], np.int32),
        np.array([each.user for each in paid], np.int32),
        np.array([each.points for each in paid], np.int32),
        np.array([each.is_fraud for each in paid], np.bool_),
        np.array(tie_break, np.uint64),
        k,
    )


def measured(paid: Sequence[Paid], thresholds: Sequence[int] = ()) -> RankingMeasures:
    users, outcomes = Users(), Outcomes()
    for each in paid:
        scenario = "stolen_card" if each.is_fraud else None
        truth = Truth(scenario, amount_base=each.value)
        outcomes.add(users.number(f"user-{each.user}"), each.at_ms, truth, [each.points])
    return measure(outcomes, users, 0, thresholds)


# Average precision


def test_average_precision_of_a_small_ranking() -> None:
    # From the top: fraud (precision 1, half of the recall), honest, fraud (precision 2/3, the other half).
    ranking = [Paid(90, is_fraud=True), Paid(80), Paid(70, is_fraud=True), Paid(0)]

    assert average(ranking) == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)


def test_payments_of_equal_points_are_one_step_whatever_their_order() -> None:
    tied = [Paid(50, is_fraud=True), Paid(50), Paid(50), Paid(50)]

    assert average(tied) == average(tied[::-1]) == 1 / 4


def test_points_above_100_and_below_0_rank_too() -> None:
    assert average([Paid(240, is_fraud=True), Paid(110), Paid(0), Paid(-30)]) == 1.0
    assert average([Paid(240), Paid(110), Paid(0), Paid(-30, is_fraud=True)]) == 1 / 4


def test_average_precision_needs_fraud() -> None:
    assert average([Paid(50)]) is None
    assert average([]) is None


@given(payments)
def test_average_precision_agrees_with_its_definition(paid: list[Paid]) -> None:
    total = sum(each.is_fraud for each in paid)
    expected, recall_before = Fraction(0), Fraction(0)
    for threshold in sorted({each.points for each in paid}, reverse=True) if total else ():
        flagged = [each for each in paid if each.points >= threshold]
        hits = sum(each.is_fraud for each in flagged)
        recall = Fraction(hits, total)
        expected += (recall - recall_before) * Fraction(hits, len(flagged))
        recall_before = recall

    found = average(paid)

    assert found is None if not total else found == pytest.approx(float(expected))


# Card precision


def test_a_users_most_suspicious_payment_counts_and_any_fraud_of_the_day() -> None:
    # User 0 ranks by its honest payment of 90 points, and its fraud of no points makes it compromised.
    day = [Paid(90), Paid(0, is_fraud=True), Paid(80, user=1), Paid(70, is_fraud=True, user=2)]

    assert cards(day, [0, 0, 0], k=1) == 1.0
    assert cards(day, [0, 0, 0], k=2) == 1 / 2
    assert cards(day, [0, 0, 0], k=3) == 2 / 3


def test_users_that_were_found_leave_the_following_days() -> None:
    days = [
        Paid(90, is_fraud=True, user=0), Paid(80, is_fraud=True, user=1), Paid(10, user=2),
        Paid(90, is_fraud=True, user=0, at_ms=DAY_MS), Paid(80, is_fraud=True, user=1, at_ms=DAY_MS),
        Paid(90, user=0, at_ms=2 * DAY_MS), Paid(80, user=1, at_ms=2 * DAY_MS), Paid(70, is_fraud=True, user=2, at_ms=2 * DAY_MS),
    ]  # fmt: skip

    # Day 0 finds user 0, day 1 user 1, day 2 user 2.
    assert cards(days, [0, 0, 0], k=1) == 1.0
    # Day 0 finds users 0 and 1; nobody is left on day 1; day 2 finds user 2, and no second.
    assert cards(days, [0, 0, 0], k=2) == pytest.approx((1 + 0 + 1 / 2) / 3)


def test_an_honest_user_who_was_contacted_stays() -> None:
    days = [Paid(90), Paid(80, is_fraud=True, user=1), Paid(90, at_ms=DAY_MS), Paid(80, is_fraud=True, user=1, at_ms=DAY_MS)]  # fmt: skip

    assert cards(days, [0, 0], k=1) == 0.0


def test_of_users_of_equal_points_the_tie_break_decides() -> None:
    day = [Paid(50, user=0), Paid(50, is_fraud=True, user=1)]

    assert cards(day, [1, 2], k=1) == 0.0
    assert cards(day, [2**64 - 1, 2], k=1) == 1.0


def test_card_precision_needs_payments() -> None:
    assert cards([], [], k=1) is None


@given(
    paid=payments, tie_break=st.lists(st.integers(0, 2**64 - 1), min_size=5, max_size=5), k=st.integers(1, 4)
)
def test_card_precision_agrees_with_its_definition(paid: list[Paid], tie_break: list[int], k: int) -> None:
    found_users: set[int] = set()
    shares = []
    for day in sorted({each.at_ms // DAY_MS for each in paid}):
        todays = [each for each in paid if each.at_ms // DAY_MS == day and each.user not in found_users]
        highest = {each.user: max(p.points for p in todays if p.user == each.user) for each in todays}
        compromised = {each.user for each in todays if each.is_fraud}
        ranked = sorted(sorted(highest), key=lambda user: (-highest[user], tie_break[user]))[:k]
        shares.append(Fraction(len(compromised & set(ranked)), k))
        found_users |= compromised & set(ranked)

    found = cards(paid, tie_break, k)

    assert found is None if not shares else found == pytest.approx(float(sum(shares) / len(shares)))


# Along the threshold


def test_the_curve_of_a_small_history() -> None:
    history = [
        Paid(80, is_fraud=True, value=300.0), Paid(50, at_ms=2 * 60 * MINUTE_MS), Paid(50, is_fraud=True, user=1, value=None),
        Paid(40, is_fraud=True, user=1, at_ms=DAY_MS, value=100.0), Paid(0, user=2, at_ms=DAY_MS),
    ]  # fmt: skip

    measures = measured(history, thresholds=[42])

    by_threshold = {each.threshold: each for each in measures.curve}
    assert sorted(by_threshold) == sorted({*range(5, 101, 5), 42})
    for threshold, flagged, hits, money in (
        (5, 4, 3, 400),
        (40, 4, 3, 400),
        (42, 3, 2, 300),
        (80, 1, 1, 300),
    ):
        found = by_threshold[threshold]
        assert (found.flagged, found.alerts, found.alerts_a_day) == (flagged, flagged, flagged / 2)
        assert found.precision == pytest.approx(hits / flagged)
        assert found.recall == pytest.approx(hits / 3)
        assert found.value_recall == pytest.approx(money / 400)
    assert (by_threshold[85].flagged, by_threshold[85].precision, by_threshold[85].recall) == (0, None, 0.0)
    assert (measures.days, measures.users, measures.fraud_share) == (2, 3, 3 / 5)


def test_flagged_payments_of_a_user_within_a_window_are_one_alert() -> None:
    times = {0: (0, 14, 15, 29, 31), 1: (14,)}
    paid = [
        Paid(50, user=user, at_ms=minute * MINUTE_MS) for user, minutes in times.items() for minute in minutes
    ]

    at_50 = next(each for each in measured(paid).curve if each.threshold == 50)

    # User 0: 0 and 14; 15 and 29; 31.
    assert (at_50.flagged, at_50.alerts) == (6, 4)


def test_the_window_is_the_alert_stages() -> None:
    assert read_functions()["alert"].environment["ALERT_WINDOW_SECONDS"] == str(ALERT_WINDOW_MS // 1000)


def test_the_best_card_precision_is_that_of_a_ranking_that_knows_the_truth() -> None:
    measures = measured([Paid(0, is_fraud=True), Paid(90, user=1)])

    assert (measures.card_precision, measures.best_card_precision) == (1 / 100, 1 / 100)


def test_nothing_at_all_has_no_measures() -> None:
    measures = measured([])

    assert (measures.average_precision, measures.card_precision, measures.fraud_share) == (None, None, None)
    assert {(each.flagged, each.alerts, each.precision) for each in measures.curve} == {(0, 0, None)}


@given(paid=payments, threshold=st.integers(1, 100))
def test_the_curve_agrees_with_a_plain_count(paid: list[Paid], threshold: int) -> None:
    flagged = [each for each in paid if each.points >= threshold]
    hits = [each for each in flagged if each.is_fraud]
    fraud = [each for each in paid if each.is_fraud]
    alerts, opened = 0, dict[int, int]()
    for each in sorted(flagged, key=lambda each: each.at_ms):
        if each.user not in opened or each.at_ms - opened[each.user] >= ALERT_WINDOW_MS:
            alerts += 1
            opened[each.user] = each.at_ms

    measures = measured(paid, thresholds=[threshold])

    found = next(each for each in measures.curve if each.threshold == threshold)
    assert (found.flagged, found.alerts) == (len(flagged), alerts)
    assert found.precision == (len(hits) / len(flagged) if flagged else None)
    assert found.recall == (len(hits) / len(fraud) if fraud else None)
    at_stake = math.fsum(each.value or 0.0 for each in fraud)
    assert found.value_recall == (
        pytest.approx(math.fsum(each.value or 0.0 for each in hits) / at_stake) if at_stake else None
    )
    assert measures.days == len({each.at_ms // DAY_MS for each in paid})


def test_a_payment_that_counts_for_several_weighs_as_much() -> None:
    points, is_fraud = np.array([30, 20, 10]), np.array([False, True, False])
    repeated_points, repeated = np.array([30, 30, 30, 20, 10]), np.array([False, False, False, True, False])

    weighted = average_precision(points, is_fraud, np.array([3.0, 1.0, 1.0]))

    assert weighted == average_precision(repeated_points, repeated, np.ones(5)) == 0.25
