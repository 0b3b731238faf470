"""Sequences of payments: what is stored in rows folds to the same profile, and what is sent again counts once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zlib import crc32

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.clock import EPOCH, MILLISECOND, times_of
from contract.scored import Decision, Position, from_history_item, to_history_item
from contract.transaction import Location
from engine.decide import decide, scored_transaction
from engine.profile import Profile, from_bytes, to_bytes
from engine.profile.facts import PaymentFacts, facts_of_row
from engine.profile.outcome import Outcome
from tests.support.histories import DAY_S, DELAYS_S, START, verdict_on
from tests.support.kafka_events import TOPIC
from tests.support.payments import make_grocery_payment
from tests.support.rule_samples import ruleset

if TYPE_CHECKING:
    from contract.scored import ScoredTransaction
    from contract.verdict import Verdict
    from engine.decided import Decided

RULES = ruleset(
    {"id": "fair", "when": "amount > 300.0", "points": 60},
    {"id": "large", "when": "amount > 600.0", "points": 90},
    {"id": "strange", "when": "is_unfamiliar_device && usual_tx_count > 2", "points": 15},
    {"id": "reused", "when": "is_transaction_id_reused", "points": 1},
)
"""Reviews above 300, blocks above 600, and depends on what was learned."""


class Sequence:
    """One user's payments in order: each is decided, folded and stored."""

    def __init__(self) -> None:
        self.profile = Profile()
        self.rows: list[dict[str, Any]] = []
        self.verdicts: list[Verdict] = []

    def pay(
        self, arrives_s: float, delay_s: float = 0.0, *, is_trusted: bool = False, **changes: Any
    ) -> Decided:
        """Send one payment that arrives ``arrives_s`` after the start with an event time ``delay_s`` before."""
        arrival = START + timedelta(seconds=arrives_s)
        payment = make_grocery_payment(
            **{"transaction_id": f"t-{len(self.rows)}", "timestamp": arrival - timedelta(seconds=delay_s)}
            | changes
        )
        appended_at_ms = (arrival - EPOCH) // MILLISECOND
        facts = PaymentFacts.of(payment, times_of(payment.timestamp, appended_at_ms, is_trusted=is_trusted))
        position, version = Position(TOPIC, 0, len(self.rows)), self.profile.tx_count
        decided = decide(facts, self.profile, RULES, self.verdicts[-8:])
        appended_at = EPOCH + timedelta(milliseconds=appended_at_ms)
        row = scored_transaction(
            facts, decided, RULES, position, appended_at, appended_at, profile_version=version
        )
        self.profile.fold(facts, decided.outcome, position)
        self.rows.append(to_history_item(row, 2_000_000_000))
        return decided

    def stored(self) -> list[ScoredTransaction]:
        """The rows, read back."""
        return [from_history_item(row) for row in self.rows]

    def judge(self, number: int, *, is_fraud: bool) -> None:
        """Give a verdict on the payment of a row."""
        facts = facts_of_row(self.stored()[number])
        self.verdicts.append(verdict_on(facts, is_fraud=is_fraud, verdict_hash=len(self.verdicts) + 1))


def rebuilt(rows: list[ScoredTransaction]) -> Profile:
    profile = Profile()
    for row in rows:
        profile.fold_row(facts_of_row(row), Outcome.of(row), row.position)
    return profile


@st.composite
def sequences(draw: st.DrawFn) -> Sequence:
    """Payments in the order of arrival with any times, decisions, releases, verdicts and repeats."""
    sequence, arrives_s = Sequence(), 0.0
    for _ in range(draw(st.integers(1, 25))):
        arrives_s += draw(st.sampled_from([0.0, 0.0015, 30.0, 3_600.0, float(DAY_S), 4.0 * DAY_S]))
        again = draw(st.integers(0, 5))
        sequence.pay(
            arrives_s,
            draw(DELAYS_S),
            is_trusted=draw(st.booleans()),
            amount=Decimal(draw(st.sampled_from(["20", "20", "20.55", "400", "700"]))),
            device_id=draw(st.sampled_from([None, "d-1", "d-2", "d-3"])),
            payee_id=draw(st.sampled_from([None, "p-1"])),
            location=draw(st.sampled_from([None, "Lyon, FR", Location(latitude=1.0, longitude=2.0)])),
            **({"transaction_id": "t-again"} if not again else {}),
        )
        if draw(st.integers(0, 3)) == 0:
            sequence.judge(draw(st.integers(0, len(sequence.rows) - 1)), is_fraud=draw(st.booleans()))
    return sequence


@given(sequences())
def test_stored_rows_fold_to_the_same_profile_to_the_byte(sequence: Sequence) -> None:
    assert to_bytes(rebuilt(sequence.stored())) == to_bytes(sequence.profile)


@given(sequences())
def test_facts_of_a_stored_row_are_those_of_the_payment_when_it_was_decided(sequence: Sequence) -> None:
    for row in sequence.stored():
        appended_at_ms = (row.appended_at - EPOCH) // MILLISECOND
        times = times_of(row.transaction.timestamp, appended_at_ms, is_trusted=row.basis == "t")

        assert facts_of_row(row) == PaymentFacts.of(row.transaction, times)
        assert facts_of_row(row).event_key == row.event_key


@given(sequences())
def test_decisions_of_stored_rows_are_computed_again_from_the_rows_before_them(sequence: Sequence) -> None:
    profile = Profile()
    for row in sequence.stored():
        facts = facts_of_row(row)

        again = decide(facts, from_bytes(to_bytes(profile)), RULES, row.verdicts)

        assert again.outcome == Outcome.of(row)
        assert again.assessment.reasons == row.reasons
        profile.fold_row(facts, Outcome.of(row), row.position)


def sequence_with_a_release_and_verdicts() -> Sequence:
    sequence = Sequence()
    for number in range(4):
        sequence.pay(number * DAY_S, device_id="d-1")
    sequence.pay(4 * DAY_S, amount=Decimal(400), device_id="d-2")  # row 4, reviewed
    sequence.pay(4.5 * DAY_S, amount=Decimal(700), device_id="d-3")  # row 5, blocked
    sequence.judge(5, is_fraud=False)
    sequence.pay(5 * DAY_S, device_id="d-1")  # row 6 applies it
    sequence.pay(7.5 * DAY_S, device_id="d-1")  # row 7 releases row 4
    return sequence


def test_row_names_the_releases_and_verdicts_that_its_payment_was_decided_with() -> None:
    sequence = sequence_with_a_release_and_verdicts()

    rows = sequence.stored()

    assert [row.decision.value for row in rows[4:6]] == ["review", "block"]
    assert rows[6].verdicts == (sequence.verdicts[0],)
    assert rows[7].releases == (facts_of_row(rows[4]).key_hash,)
    assert [(row.releases, row.verdicts) for row in rows[:6]] == [((), ())] * 6
    assert (rows[6].releases, rows[7].verdicts) == ((), ())


def test_rows_without_their_lessons_would_fold_to_another_profile() -> None:
    """So the test of the rebuild can fail."""
    sequence = sequence_with_a_release_and_verdicts()

    for number in (6, 7):
        rows = sequence.stored()
        rows[number] = msgspec.structs.replace(rows[number], releases=(), verdicts=())

        assert to_bytes(rebuilt(rows)) != to_bytes(sequence.profile)


# Payments that are sent again


@pytest.mark.parametrize(
    ("amount", "decision"), [("20", Decision.APPROVE), ("400", Decision.REVIEW), ("700", Decision.BLOCK)]
)
@pytest.mark.parametrize("later_s", [0.001, 60.0, 12 * 3_600.0])
def test_same_payment_under_another_time_has_the_decision_of_the_first_and_is_not_counted(
    amount: str, decision: Decision, later_s: float
) -> None:
    sequence = Sequence()
    first = sequence.pay(0, transaction_id="t", amount=Decimal(amount), payee_id="p")
    before = sequence.profile.tx_count, sequence.profile.habit_count, len(sequence.profile.pending)

    second = sequence.pay(later_s, transaction_id="t", amount=Decimal(amount), payee_id="p")

    original, repeat = sequence.stored()
    assert first.assessment.decision is second.assessment.decision is repeat.decision is decision
    assert repeat.risk_score == original.risk_score
    assert repeat.reasons == ()
    assert repeat.repeats == facts_of_row(original).key_hash
    assert repeat.event_key != original.event_key
    assert second.features["is_transaction_id_reused"] is False
    assert (
        sequence.profile.tx_count,
        sequence.profile.habit_count,
        len(sequence.profile.pending),
    ) == before


@pytest.mark.parametrize(
    ("later_s", "is_repeat"), [(3 * DAY_S, True), (3 * DAY_S + 0.001, False), (30 * DAY_S, False)]
)
def test_payment_is_no_repeat_of_one_more_than_three_days_before(later_s: float, *, is_repeat: bool) -> None:
    sequence = Sequence()
    sequence.pay(0, transaction_id="rent", payee_id="p")

    again = sequence.pay(later_s, transaction_id="rent", payee_id="p")

    assert bool(sequence.stored()[1].repeats) is is_repeat
    assert again.features["is_transaction_id_reused"] is False
    assert sequence.profile.tx_count == 2 - is_repeat


def test_payment_to_a_payee_whose_name_has_the_same_checksum_is_no_repeat() -> None:
    forged = "cacacccccaaaccaaacaacaacccaaaaaaaaaaaaaa@mail.example"
    assert crc32(forged.encode()) == crc32(b"landlord")
    sequence = Sequence()
    sequence.pay(0, transaction_id="t", payee_id="landlord")

    other = sequence.pay(60, transaction_id="t", payee_id=forged)

    assert sequence.stored()[1].repeats == 0
    assert other.features["is_transaction_id_reused"] is True


def test_third_time_repeats_the_first() -> None:
    sequence = Sequence()
    for number in range(3):
        sequence.pay(number * 60, transaction_id="t")

    rows = sequence.stored()

    assert [row.repeats for row in rows[1:]] == [facts_of_row(rows[0]).key_hash] * 2
    assert sequence.profile.tx_count == 1


def test_repeat_after_an_honest_verdict_keeps_the_decision_of_the_first() -> None:
    sequence = Sequence()
    sequence.pay(0, transaction_id="t", amount=Decimal(700))
    sequence.judge(0, is_fraud=False)

    again = sequence.pay(60, transaction_id="t", amount=Decimal(700))

    assert again.assessment.decision is Decision.BLOCK
    assert sequence.stored()[1].verdicts == (sequence.verdicts[0],)


def test_amount_that_is_written_in_another_way_is_the_same_amount() -> None:
    sequence = Sequence()
    sequence.pay(0, transaction_id="t", amount=Decimal("20"))

    sequence.pay(60, transaction_id="t", amount=Decimal("20.00"))

    assert sequence.profile.tx_count == 1


@pytest.mark.parametrize(
    "change",
    [
        {"amount": Decimal("20.01")},
        {"currency": "USD"},
        {"payee_id": "p-2"},
        {"payee_id": None},
        {"merchant_id": "m-2"},
        {"merchant_id": None},
        {"card_id": "card-2"},
        {"card_id": None},
        {"amount": Decimal(700)},
    ],
)
def test_anything_else_under_a_known_id_is_a_new_payment_that_is_marked(change: dict[str, Any]) -> None:
    sequence = Sequence()
    usual: dict[str, Any] = {"transaction_id": "t", "amount": Decimal(20), "payee_id": "p-1"}
    sequence.pay(0, **usual)

    other = sequence.pay(60, **usual | change)

    row = sequence.stored()[1]
    assert row.repeats == 0
    assert other.features["is_transaction_id_reused"] is True
    assert "reused" in [reason.rule_id for reason in row.reasons]
    assert sequence.profile.tx_count == 2


def test_payment_that_repeats_either_of_two_under_one_id_repeats_that_one() -> None:
    sequence = Sequence()
    for number, amount in enumerate(("20", "400", "400", "20")):
        sequence.pay(number * 60, transaction_id="t", amount=Decimal(amount))

    rows = sequence.stored()

    first, second = (facts_of_row(row).key_hash for row in rows[:2])
    assert [row.repeats for row in rows] == [0, 0, second, first]
    assert [row.decision for row in rows] == [
        rows[0].decision,
        rows[1].decision,
        rows[1].decision,
        rows[0].decision,
    ]


def test_same_payment_under_another_id_is_another_payment() -> None:
    sequence = Sequence()
    sequence.pay(0, transaction_id="t-1")

    other = sequence.pay(60, transaction_id="t-2")

    assert sequence.stored()[1].repeats == 0
    assert other.features["is_transaction_id_reused"] is False
    assert sequence.profile.tx_count == 2


def test_id_of_a_payment_that_is_no_longer_among_the_recent_ones_is_not_known() -> None:
    sequence = Sequence()
    sequence.pay(0, transaction_id="t")
    for number in range(1, 33):
        sequence.pay(number * 60)

    again = sequence.pay(34 * 60, transaction_id="t", amount=Decimal(700))

    assert again.features["is_transaction_id_reused"] is False
    assert sequence.stored()[-1].repeats == 0
