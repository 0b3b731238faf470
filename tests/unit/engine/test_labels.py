"""What labels say of entities and users, as the score stage reads it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contract.clock import EPOCH, MILLISECOND
from contract.label import LabelVerdict
from contract.label_rows import EntityMarks
from engine.entities.kinds import POPULATION_IDS
from engine.entities.levels import COUNTS, WEEK_S
from engine.entities.risk import LEAST_USUAL_RATE, Risk
from engine.entities.risk import from_bytes as risk_from_bytes
from engine.entities.state import Entity, to_bytes
from engine.labels import counted_since_s, risk_copy, usual_rate, verdicts_copy, verdicts_of
from engine.profile import Profile
from engine.profile.fingerprints import key_hash
from engine.profile.seen_values import SeenKind
from engine.profile.verdict_list import MAX_LISTED
from engine.profile.verdict_list import from_bytes as verdicts_from_bytes
from tests.support.histories import facts_at
from tests.support.labels import EVENT_KEY, KNOWN_AT, make_label, make_withdrawal

SEEN = (1, 2, 3, 4, 5, 6)
NOW_S = 100 * WEEK_S + 3 * 86_400


def population(*weeks: tuple[int, int]) -> bytes:
    """State with so many payments in each week."""
    return to_bytes(
        Entity(0, weeks=b"".join(COUNTS.pack(week, count, 0, 0, 1, 0.0) for week, count in weeks))
    )


def test_copy_of_an_entity_is_what_its_marks_say() -> None:
    marks = EntityMarks((EPOCH + timedelta(seconds=10.9),), EPOCH + timedelta(seconds=5), KNOWN_AT)

    copy = risk_copy(marks)

    assert copy is not None
    assert risk_from_bytes(copy) == Risk((10,), 5, int(KNOWN_AT.timestamp()))
    assert risk_copy(EntityMarks((), None, None)) is None


def test_verdicts_are_one_a_payment_oldest_first_by_when_they_became_known() -> None:
    newer = make_label(event_key="a", known_at=KNOWN_AT + timedelta(hours=1), seen=SEEN)
    older = make_label(event_key="b", verdict=LabelVerdict.LEGITIMATE, seen=SEEN)
    doubtful = make_label(event_key="b", label_id="l-2", confidence=0.1, seen=SEEN)

    verdicts = verdicts_of([newer, older, doubtful])

    assert [(each.verdict.key_hash, each.verdict.is_fraud, each.verdict.seen) for each in verdicts] == [
        (key_hash("b"), False, SEEN),
        (key_hash("a"), True, SEEN),
    ]
    copy = verdicts_copy([doubtful, newer, older])
    assert copy is not None
    assert list(verdicts_from_bytes(copy)) == verdicts


def test_a_verdict_says_when_the_label_that_counts_was_stored() -> None:
    late = make_label(recorded_at=KNOWN_AT + timedelta(days=3))

    [listed] = verdicts_of([make_label(label_id="l-0", known_at=KNOWN_AT - timedelta(days=1)), late])

    assert listed.recorded_s == int((KNOWN_AT + timedelta(days=3)).timestamp())


def test_payment_whose_label_was_withdrawn_has_no_verdict() -> None:
    label = make_label()

    assert verdicts_copy([label, make_withdrawal(label)]) is None


def test_one_id_for_labels_of_two_payments_makes_two_verdicts() -> None:
    verdicts = verdicts_of([make_label(event_key="a"), make_label(event_key="b")])

    assert len({each.verdict.verdict_hash for each in verdicts}) == 2


@pytest.mark.parametrize("is_fraud", [True, False])
def test_the_verdict_on_any_payment_can_be_copied_and_applied(is_fraud: bool) -> None:
    facts = facts_at(0, "t-1", payee_id=None)
    profile = Profile()
    label = make_label(
        event_key=facts.event_key,
        verdict=LabelVerdict.FRAUD if is_fraud else LabelVerdict.LEGITIMATE,
        occurred_at=EPOCH + facts.at_ms * MILLISECOND,
        seen=tuple([value or 0 for value in facts.seen]),
    )

    copy = verdicts_copy([label])
    assert copy is not None
    [listed] = verdicts_from_bytes(copy)
    verdict = listed.verdict
    profile.learn(profile.lessons(facts, [verdict]))

    assert (verdict.is_fraud, verdict.key_hash, verdict.seen[SeenKind.PAYEE]) == (is_fraud, facts.key_hash, 0)
    assert list(profile.verdicts) == [verdict.verdict_hash]


def test_verdict_that_returns_after_another_is_another_and_one_that_is_confirmed_is_not() -> None:
    label = make_label()
    confirmed = make_label(label_id="l-2", known_at=KNOWN_AT + timedelta(hours=1))
    opposed = make_label(
        label_id="l-3", known_at=KNOWN_AT + timedelta(hours=2), verdict=LabelVerdict.LEGITIMATE
    )
    returned = make_label(label_id="l-4", known_at=KNOWN_AT + timedelta(hours=3))

    labels = [label, confirmed, opposed, returned]
    hashes = [verdicts_of(labels[:number])[0].verdict.verdict_hash for number in range(1, 5)]

    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_only_the_newest_verdicts_are_kept() -> None:
    labels = [
        make_label(event_key=f"{EVENT_KEY}{number}", known_at=KNOWN_AT + timedelta(minutes=number))
        for number in range(MAX_LISTED + 3)
    ]

    assert verdicts_of(labels) == verdicts_of(labels[3:])
    assert len(verdicts_of(labels)) == MAX_LISTED


def test_usual_rate_is_the_share_of_the_payments_of_30_days() -> None:
    # Of week 96 the last six days of seven lie within the 30; of week 100 three have passed.
    weeks = population((96, 700), (97, 700), (98, 700), (99, 700), (100, 300))

    assert usual_rate(30, [weeks], NOW_S) == pytest.approx(30 / (600 + 3 * 700 + 300))


def test_frauds_are_counted_for_as_long_as_the_payments_are() -> None:
    lost_at_s = NOW_S - 3_600
    after_a_loss = to_bytes(Entity(lost_at_s, weeks=COUNTS.pack(100, 500, 0, 0, 1, 0.0)))
    long_known = population((99, 700), (100, 300))

    assert counted_since_s([None, after_a_loss], NOW_S) == lost_at_s
    assert counted_since_s([long_known, None], NOW_S) == NOW_S - 30 * 86_400
    assert counted_since_s([None, b"other"], NOW_S) == NOW_S
    assert counted_since_s([population()], NOW_S) <= NOW_S


@pytest.mark.parametrize("states", [[], [None] * len(POPULATION_IDS), [b"other"], [population()]])
def test_usual_rate_without_known_payments_is_the_least(states: list[bytes | None]) -> None:
    assert usual_rate(5, states, NOW_S) == LEAST_USUAL_RATE


def test_usual_rate_is_within_its_bounds_and_counts_by_the_kind_that_most_payments_name() -> None:
    few, many = population((99, 10)), population((99, 1_000))

    assert usual_rate(0, [many], NOW_S) == LEAST_USUAL_RATE
    assert usual_rate(99, [few], NOW_S) == 1
    assert usual_rate(10, [few, None, many], NOW_S) == 0.01
