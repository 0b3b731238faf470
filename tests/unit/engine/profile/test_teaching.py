"""Who teaches what is normal: approved payments, reviewed ones after three days, blocked ones never."""

from __future__ import annotations

import pytest

from contract.scored import Decision, Position
from engine.profile.outcome import NO_LESSONS, Lessons, Outcome
from engine.profile.pending_payments import MAX_PENDING, RELEASE_AFTER_MS
from engine.profile.seen_values import SeenKind
from tests.support.histories import DAY_S, Event, approved, facts_at, folded, late_facts_at
from tests.support.kafka_events import TOPIC
from tests.support.payments import APPROVED, BLOCKED, REVIEWED
from tests.unit.engine.profile.usual_user import (
    RELEASE_S,
    STRANGE_S,
    USUAL,
    after_lessons,
    features_at,
    habits_of,
    strange,
)


def test_approved_payment_teaches_at_once() -> None:
    profile = folded([*USUAL, Event(strange(), APPROVED)])

    features = features_at(profile, STRANGE_S + 60)
    for kind in ("country", "device", "merchant", "payee", "channel", "currency"):
        assert features[f"is_new_{kind}"] is False
    assert features["usual_tx_count"] == 11
    assert features["amount_max_recent_base"] == 450.0
    assert features["device_tx_count"] == features["payee_tx_count"] == 1
    assert features["distance_from_last_km"] == 0.0


@pytest.mark.parametrize("outcome", [BLOCKED, REVIEWED])
def test_payment_that_was_stopped_changes_nothing_that_is_normal(outcome: Outcome) -> None:
    before, after = folded(USUAL), folded([*USUAL, Event(strange(), outcome)])

    assert habits_of(after) == habits_of(before)
    features = features_at(after, STRANGE_S + 60)
    assert features["profile_tx_count"] == 11
    assert features["usual_tx_count"] == 10
    assert features["is_new_device"] is features["is_unfamiliar_device"] is True
    assert features["tx_count_1h"] == 2  # velocity counts it


def test_blocked_payment_never_teaches_however_long_nobody_says_anything() -> None:
    profile = folded([*USUAL, Event(strange(), BLOCKED)])
    before = habits_of(profile)

    for days in (3, 30, 300, 3_000):
        assert after_lessons(profile, STRANGE_S + days * DAY_S) == NO_LESSONS

    assert habits_of(profile) == before


@pytest.mark.parametrize("payments", [1, 40])
def test_stopped_payments_displace_no_amount_that_habits_use(payments: int) -> None:
    stopped = [
        Event(
            strange(f"s-{number}", STRANGE_S + number, device_id=f"d-{number}"),
            (BLOCKED, REVIEWED)[number % 2],
        )
        for number in range(payments)
    ]
    before, after = folded(USUAL), folded([*USUAL, *stopped])

    assert habits_of(after) == habits_of(before)


def test_reviewed_payment_teaches_after_three_days_and_not_a_millisecond_before() -> None:
    facts = strange()
    early, late = folded([*USUAL, Event(facts, REVIEWED)]), folded([*USUAL, Event(facts, REVIEWED)])

    not_yet = after_lessons(early, RELEASE_S - 0.001)
    due = after_lessons(late, RELEASE_S)

    assert RELEASE_AFTER_MS == 3 * 24 * 3_600_000
    assert not_yet == NO_LESSONS
    assert due == Lessons((facts.key_hash,), ())
    assert features_at(early, RELEASE_S)["is_new_device"] is True
    released = features_at(late, RELEASE_S)
    assert released["is_new_device"] is released["is_new_payee"] is released["is_new_country"] is False
    assert released["usual_tx_count"] == 11
    assert released["amount_max_recent_base"] == 450.0


def test_released_payment_counts_at_its_own_time_once_and_moves_nobody() -> None:
    facts = strange()
    profile = folded([*USUAL, Event(facts, REVIEWED), *approved(facts_at(STRANGE_S + DAY_S, "later"))])
    place = (profile.last_place, profile.last_place_hash, profile.last_country_hash, profile.taught_at_ms)

    for _ in range(3):
        after_lessons(profile, RELEASE_S)

    assert profile.seen.find([facts.seen[SeenKind.DEVICE]]) == [(facts.at_ms // 1000, 1)]
    assert profile.habit_count == 12
    assert len(profile.pending) == 0
    assert (
        profile.last_place,
        profile.last_place_hash,
        profile.last_country_hash,
        profile.taught_at_ms,
    ) == place


def test_three_days_are_those_of_the_clock_and_no_claim_of_the_sender_shortens_them() -> None:
    dated_back = late_facts_at(STRANGE_S, DAY_S, "dated-back")
    profile = folded([*USUAL, Event(dated_back, REVIEWED)])

    claimed_ahead = late_facts_at(STRANGE_S + 2 * DAY_S, -5 * DAY_S, "ahead")
    assert profile.lessons(claimed_ahead) == NO_LESSONS

    assert profile.lessons(facts_at(RELEASE_S, "now")).releases == (dated_back.key_hash,)


def test_reviewed_payments_are_released_in_the_order_of_their_clocks() -> None:
    first, second, third = (strange(f"s-{number}", STRANGE_S + number * DAY_S) for number in range(3))
    profile = folded([*USUAL, *(Event(each, REVIEWED) for each in (third, first, second))])

    assert after_lessons(profile, RELEASE_S + DAY_S).releases == (first.key_hash, second.key_hash)
    assert after_lessons(profile, RELEASE_S + 2 * DAY_S).releases == (third.key_hash,)


def test_beyond_the_most_that_wait_a_reviewed_payment_never_teaches_and_displaces_none() -> None:
    flood = [strange(f"s-{number}", STRANGE_S + number) for number in range(MAX_PENDING + 5)]
    profile = folded([*USUAL, *(Event(each, REVIEWED) for each in flood)])

    lessons = after_lessons(profile, RELEASE_S + 100)

    assert lessons.releases == tuple(each.key_hash for each in flood[:MAX_PENDING])
    assert profile.habit_count == 10 + MAX_PENDING
    assert after_lessons(profile, RELEASE_S + 30 * DAY_S) == NO_LESSONS


def test_first_payment_of_an_account_that_is_stopped_leaves_no_norm_for_the_second_to_differ_from() -> None:
    profile = folded([Event(strange(), BLOCKED)])

    features = features_at(profile, STRANGE_S + 60, device_id="another")

    assert features["profile_tx_count"] == 1
    assert features["usual_tx_count"] == 0
    assert features["is_new_device"] is False
    assert features["is_unfamiliar_device"] is True
    assert features["amount_ratio_to_median_recent"] == features["amount_ratio_to_mean_30d"] == 1.0


def test_outcome_of_a_repeat_is_counted_nowhere_and_its_lessons_are_learned() -> None:
    facts = strange()
    profile = folded([*USUAL, Event(facts, REVIEWED)])
    lessons = profile.lessons(facts_at(RELEASE_S, "now"))
    repeat = Outcome(Decision.REVIEW, 60, facts.key_hash, lessons)

    profile.fold_row(strange("strange", RELEASE_S), repeat, Position(TOPIC, 0, 99))

    assert (profile.tx_count, profile.habit_count) == (11, 11)
    assert profile.folded_offset(TOPIC, 0) == 99
    assert profile.newest_at_ms == RELEASE_S * 1000 + USUAL[0].facts.at_ms
