"""Who teaches what is normal: approved payments, reviewed ones after three days, blocked ones never, and people's verdicts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from contract.scored import Decision, FeatureValue, Position
from contract.transaction import Location
from engine.exchange_rates import ExchangeRates
from engine.features.catalogue import compute_features
from engine.profile import Profile, from_bytes, to_bytes
from engine.profile.outcome import NO_LESSONS, Lessons, Outcome
from engine.profile.pending_payments import MAX_PENDING, RELEASE_AFTER_MS
from engine.profile.profile import MAX_VERDICTS
from engine.profile.seen_values import FAMILIAR_COUNT, SeenKind
from tests.support.histories import DAY_S, Event, approved, facts_at, folded, late_facts_at, verdict_on
from tests.support.kafka_events import TOPIC
from tests.support.payments import APPROVED, BLOCKED, REVIEWED

if TYPE_CHECKING:
    from contract.verdict import Verdict
    from engine.profile.facts import PaymentFacts

RATES = ExchangeRates({"EUR": 1.0, "USD": 0.5})
OSLO = Location(latitude=59.91, longitude=10.75, country="NO", city="Oslo")
USUAL = approved(*(facts_at(number * DAY_S, f"usual-{number}", payee_id="p") for number in range(10)))
STRANGE_S = 10 * DAY_S
RELEASE_S = STRANGE_S + RELEASE_AFTER_MS // 1000


def strange(name: str = "strange", at_s: float = STRANGE_S, **changes: object) -> PaymentFacts:
    """A large payment with everything new."""
    fields: dict[str, object] = {
        "amount": Decimal(900),
        "currency": "USD",
        "merchant_id": "m-new",
        "device_id": "d-new",
        "payee_id": "p-new",
        "channel": "c-new",
        "location": OSLO,
    }
    return facts_at(at_s, name, **fields | changes)


def features_at(
    profile: Profile, at_s: float, name: str = "now", **changes: object
) -> dict[str, FeatureValue]:
    return compute_features(strange(name, at_s, **changes), profile, RATES)


def habits_of(profile: Profile) -> list[object]:
    """All that says what is normal."""
    return [
        *(list(c) for part in (profile.habits, profile.habit_days, profile.seen) for c in part.columns()),
        bytes(profile.hour_of_week),
        (profile.habit_count, profile.taught_at_ms, profile.placed_at_ms, profile.placed_key_hash),
        (profile.last_place, profile.last_place_hash, profile.last_country_hash),
    ]


def after_lessons(profile: Profile, at_s: float, *verdicts: Verdict) -> Lessons:
    """Learn what is due at a payment at ``at_s``; return what its row would name."""
    lessons = profile.lessons(facts_at(at_s, "now"), verdicts)
    profile.learn(lessons)
    return lessons


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


def stops_at(profile: Profile, at_s: float) -> list[FeatureValue]:
    """Reviewed and blocked payments of a day and of 30 days, as of ``at_s``."""
    features = features_at(profile, at_s)
    return [features[f"{what}_count_{window}"] for what in ("review", "block") for window in ("24h", "30d")]


@pytest.mark.parametrize(("outcome", "counted"), [(REVIEWED, [1, 1, 0, 0]), (BLOCKED, [0, 0, 1, 1])])
@pytest.mark.parametrize("others", [0, 40])
def test_a_stop_of_a_legitimate_payment_counts_no_more_unless_it_is_called_fraud_after_all(
    outcome: Outcome, counted: list[int], others: int
) -> None:
    before = approved(*(facts_at(STRANGE_S - 60 * number, f"o-{number}") for number in range(1, others + 1)))
    stays = Event(strange("stays", STRANGE_S + 1), outcome)
    profile = folded([*USUAL, *before, Event(strange(), outcome), stays])
    both = [2 * number for number in counted]
    assert stops_at(profile, STRANGE_S + 60) == both

    for number, (is_fraud, expected) in enumerate(
        [(False, counted), (False, counted), (True, both), (False, counted)]
    ):
        after_lessons(profile, STRANGE_S + 60, verdict_on(strange(), is_fraud=is_fraud, verdict_hash=number))

        assert stops_at(profile, STRANGE_S + 60) == expected
        assert stops_at(profile, STRANGE_S + 2 * DAY_S)[1::2] == expected[1::2]


@pytest.mark.parametrize("is_fraud", [False, True])
def test_a_verdict_on_an_approved_or_forgotten_payment_changes_no_count(is_fraud: bool) -> None:
    many = approved(*(facts_at(STRANGE_S + 60 + number, f"o-{number}") for number in range(40)))
    profile = folded([*USUAL, Event(strange(), BLOCKED), *many])
    newest = many[-1].facts

    after_lessons(profile, STRANGE_S + 200, verdict_on(strange(), is_fraud=is_fraud, verdict_hash=1))
    after_lessons(profile, STRANGE_S + 200, verdict_on(newest, is_fraud=is_fraud, verdict_hash=2))

    assert stops_at(profile, STRANGE_S + 200) == [0, 0, 1, 1]


def test_a_blocked_payment_that_is_sent_again_is_blocked_though_it_was_called_legitimate() -> None:
    profile = folded([*USUAL, Event(strange(), BLOCKED)])
    after_lessons(profile, STRANGE_S + 60, verdict_on(strange(), is_fraud=False))

    repeated = profile.repeated(strange("strange", STRANGE_S + 60))

    assert repeated is not None
    assert repeated.decision is Decision.BLOCK
    assert to_bytes(from_bytes(to_bytes(profile))) == to_bytes(profile)
