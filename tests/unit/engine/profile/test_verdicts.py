"""What people found teaches too: each verdict once, the newest of many, also of payments that wait or are forgotten."""

from __future__ import annotations

import pytest

from contract.scored import Position
from engine.profile import to_bytes
from engine.profile.outcome import NO_LESSONS, Lessons, Outcome
from engine.profile.profile import MAX_VERDICTS
from engine.profile.seen_values import FAMILIAR_COUNT, SeenKind
from engine.profile.verdict_list import TEACHES_AFTER_S, ListedVerdict, taught
from tests.support.histories import DAY_S, Event, approved, facts_at, folded, verdict_on
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


def test_fraud_verdict_keeps_a_reviewed_payment_from_teaching() -> None:
    facts = strange()
    profile = folded([*USUAL, Event(facts, REVIEWED)])
    before = habits_of(profile)
    verdict = verdict_on(facts, is_fraud=True)

    assert after_lessons(profile, STRANGE_S + DAY_S, verdict) == Lessons((), (verdict,))
    assert after_lessons(profile, RELEASE_S) == NO_LESSONS

    assert habits_of(profile) == before


def test_fraud_verdict_that_comes_as_the_payment_is_due_prevents_its_release() -> None:
    facts, other = strange(), strange("other", STRANGE_S + 1)
    profile = folded([*USUAL, Event(facts, REVIEWED), Event(other, REVIEWED)])
    verdict = verdict_on(facts, is_fraud=True)

    lessons = after_lessons(profile, RELEASE_S + DAY_S, verdict)

    assert lessons == Lessons((other.key_hash,), (verdict,))
    assert profile.habit_count == 11


def test_fraud_verdict_makes_device_payee_and_merchant_unfamiliar_and_means_stay() -> None:
    facts = strange()
    again = [strange(f"s-{number}", STRANGE_S + number * DAY_S) for number in range(1, 6)]
    profile = folded([*USUAL, *approved(facts, *again)])
    before = features_at(profile, STRANGE_S + 6 * DAY_S)
    assert before["is_unfamiliar_device"] is before["is_unfamiliar_payee"] is False

    after_lessons(profile, STRANGE_S + 6 * DAY_S, verdict_on(facts, is_fraud=True))

    after = features_at(profile, STRANGE_S + 6 * DAY_S)
    for kind in ("device", "payee", "merchant"):
        assert after[f"is_new_{kind}"] is after[f"is_unfamiliar_{kind}"] is True
        assert after[f"{kind}_tx_count"] == 0
    stays = (
        "usual_tx_count",
        "amount_mean_30d_base",
        "amount_max_recent_base",
        "is_new_country",
        "is_new_channel",
    )
    assert {name: after[name] for name in stays} == {name: before[name] for name in stays}
    assert profile.seen.find([USUAL[0].facts.seen[SeenKind.DEVICE]]) == [(USUAL[0].facts.at_ms // 1000, 10)]


def test_fraud_verdict_on_a_payment_without_device_payee_and_merchant_makes_nothing_unfamiliar() -> None:
    bare = strange(device_id=None, payee_id=None, merchant_id=None)
    profile = folded([*USUAL, *approved(bare)])
    before = habits_of(profile)

    after_lessons(profile, STRANGE_S + 60, verdict_on(bare, is_fraud=True))

    assert habits_of(profile) == before


@pytest.mark.parametrize("outcome", [BLOCKED, REVIEWED, APPROVED])
def test_legitimate_verdict_makes_the_values_of_its_payment_familiar(outcome: Outcome) -> None:
    facts = strange()
    profile = folded([*USUAL, Event(facts, outcome)])

    after_lessons(profile, STRANGE_S + 3_600, verdict_on(facts, is_fraud=False))

    features = features_at(profile, STRANGE_S + 7_200)
    for kind in ("device", "payee", "merchant", "country"):
        assert features[f"is_unfamiliar_{kind}"] is features[f"is_new_{kind}"] is False
        assert features[f"{kind}_tx_count"] == FAMILIAR_COUNT
    assert features["is_new_channel"] is features["is_new_currency"] is False


@pytest.mark.parametrize(("outcome", "usual"), [(BLOCKED, 10), (REVIEWED, 11), (APPROVED, 11)])
def test_legitimate_verdict_lets_a_waiting_payment_teach_its_amount_at_once_and_once(
    outcome: Outcome, usual: int
) -> None:
    facts = strange()
    profile = folded([*USUAL, Event(facts, outcome)])

    after_lessons(profile, STRANGE_S + 3_600, verdict_on(facts, is_fraud=False))
    after_lessons(profile, RELEASE_S)

    assert profile.habit_count == usual


def test_legitimate_verdict_that_comes_as_the_payment_is_due_lets_it_teach_once() -> None:
    facts = strange()
    profile = folded([*USUAL, Event(facts, REVIEWED)])

    after_lessons(profile, RELEASE_S, verdict_on(facts, is_fraud=False))

    assert profile.habit_count == 11


def test_verdict_of_a_payment_that_the_profile_has_forgotten_is_applied_all_the_same() -> None:
    facts = strange()
    many = approved(*(facts_at(STRANGE_S + 60 * number, f"later-{number}") for number in range(1, 50)))
    profile = folded([*USUAL, Event(facts, BLOCKED), *many])
    assert not profile.holds(facts.key_hash)

    after_lessons(profile, STRANGE_S + DAY_S, verdict_on(facts, is_fraud=False))

    assert features_at(profile, STRANGE_S + DAY_S)["is_unfamiliar_device"] is False


def test_verdict_is_applied_once() -> None:
    facts = strange()
    profile = folded([*USUAL, *approved(facts)])
    fraud = verdict_on(facts, is_fraud=True)
    assert after_lessons(profile, STRANGE_S + 60, fraud).verdicts == (fraud,)
    profile.fold(strange("again", STRANGE_S + 120), APPROVED, Position(TOPIC, 0, 50))

    assert after_lessons(profile, STRANGE_S + 180, fraud) == NO_LESSONS

    assert features_at(profile, STRANGE_S + 180)["device_tx_count"] == 1


def test_lessons_of_a_row_that_were_applied_before_change_nothing() -> None:
    facts, waiting = strange(), strange("waiting", STRANGE_S + 1)
    profile = folded([*USUAL, *approved(facts), Event(waiting, REVIEWED)])
    lessons = after_lessons(profile, RELEASE_S + 60, verdict_on(facts, is_fraud=False))
    assert lessons.releases
    assert lessons.verdicts
    before = to_bytes(profile)

    profile.learn(lessons)

    assert to_bytes(profile) == before


def test_verdict_is_applied_once_as_long_as_as_many_are_read_as_are_remembered() -> None:
    facts = strange()
    profile = folded([*USUAL, *approved(facts)])
    verdicts = [verdict_on(facts, is_fraud=bool(number % 2), verdict_hash=number) for number in range(1, 30)]

    for last in range(1, 30):
        read = verdicts[max(0, last - MAX_VERDICTS) : last]
        lessons = after_lessons(profile, STRANGE_S + 60 + last, *read)

        assert lessons.verdicts == (verdicts[last - 1],)


def test_of_more_verdicts_than_are_remembered_the_newest_are_applied_and_none_twice() -> None:
    facts = strange()
    profile = folded([*USUAL, *approved(facts)])
    verdicts = [verdict_on(facts, is_fraud=True, verdict_hash=number) for number in range(MAX_VERDICTS + 3)]

    first = after_lessons(profile, STRANGE_S + 60, *verdicts)
    second = after_lessons(profile, STRANGE_S + 120, *verdicts)

    assert first.verdicts == tuple(verdicts[3:])
    assert second == NO_LESSONS


@pytest.mark.parametrize("is_fraud", [True, False])
def test_waiting_payment_has_its_verdict_however_many_others_are_judged_with_it(*, is_fraud: bool) -> None:
    profile = folded([*USUAL, Event(strange(), REVIEWED)])
    usual = profile.habit_count
    others = [
        verdict_on(strange(f"blocked-{number}"), is_fraud=True, verdict_hash=number)
        for number in range(2, MAX_VERDICTS + 6)
    ]

    lessons = after_lessons(profile, RELEASE_S, verdict_on(strange(), is_fraud=is_fraud), *others)

    assert len(profile.pending) == 0
    assert lessons.verdicts[0].verdict_hash == 1
    assert profile.habit_count == usual + (not is_fraud)
    assert after_lessons(profile, RELEASE_S, verdict_on(strange(), is_fraud=is_fraud), *others) == NO_LESSONS


def test_later_verdict_on_a_payment_outweighs_the_earlier_one() -> None:
    facts = strange()
    profile = folded([*USUAL, Event(facts, REVIEWED)])
    honest = verdict_on(facts, is_fraud=False, verdict_hash=1)
    fraud = verdict_on(facts, is_fraud=True, verdict_hash=2)

    after_lessons(profile, STRANGE_S + 60, honest, fraud)

    assert features_at(profile, STRANGE_S + 60)["is_unfamiliar_device"] is True


def test_a_device_that_a_fraud_has_made_unfamiliar_stays_so_when_an_earlier_verdict_of_legitimate_has_waited() -> (
    None
):
    honest, fraud = strange("honest"), strange("fraud", STRANGE_S + 1, payee_id="mule")
    profile = folded([*USUAL, Event(honest, BLOCKED), Event(fraud, BLOCKED)])
    listed = [
        ListedVerdict(verdict_on(honest, is_fraud=False, verdict_hash=1), 0),
        ListedVerdict(verdict_on(fraud, is_fraud=True, verdict_hash=2), 30),
    ]

    for now_s in (40, TEACHES_AFTER_S):
        after_lessons(profile, STRANGE_S + now_s, *taught(listed, now_s))

    features = features_at(profile, STRANGE_S + TEACHES_AFTER_S)
    assert features["is_unfamiliar_device"] is features["is_new_device"] is True
    assert features["is_unfamiliar_payee"] is False
