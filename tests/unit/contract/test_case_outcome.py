"""What a case is after a decision: every payment is counted once, as the latest that is known of it says."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from contract.case import Judgement, SecondLook, Tally
from contract.case_decision import CaseDecision, DecidedPayment, Ruling
from contract.case_outcome import IN_FLIGHT, CaseRow, Earlier, Release, is_in_flight, outcome_of, release_of
from contract.label import LabelVerdict
from tests.support.cases import make_case, make_decision
from tests.support.payments import NOW

VERDICTS = st.sampled_from([LabelVerdict.FRAUD, LabelVerdict.LEGITIMATE])
ROWS = st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.sampled_from(Judgement), st.integers(0, 9)))


def row(event_key: str, judgement: Judgement, amount: int, currency: str = "USD") -> CaseRow:
    """A payment of the case."""
    return CaseRow(
        user_id="user-1",
        event_key=event_key,
        transaction_id=event_key,
        case_id="c",
        case_judgement=judgement,
        amount_base=Decimal(amount),
        base_currency=currency,
    )


@given(ROWS, st.lists(st.tuples(st.sets(st.sampled_from("abcdef"), min_size=1), VERDICTS), min_size=1))
def test_each_payment_is_counted_once_and_as_it_was_decided_last(
    drawn: dict[str, tuple[Judgement, int]], made: list[tuple[set[str], LabelVerdict]]
) -> None:
    rows = {key: row(key, *values) for key, values in drawn.items()}
    case = make_case()
    decisions = [
        make_decision(
            ruling=Ruling(verdict=verdict),
            payments=tuple(DecidedPayment(key, key) for key in sorted(keys)),
        )
        for keys, verdict in made
    ]
    new = decisions[-1]
    new = msgspec.structs.replace(new, payments=tuple(one for one in new.payments if one.event_key in rows))

    outcome = outcome_of(case, rows, decisions[:-1], new)

    wanted = {}
    for key, (judgement, amount) in drawn.items():
        said = [Judgement(one.ruling.verdict.value) for one in decisions[:-1] if key in one.event_keys]
        if key in new.event_keys:
            wanted[key] = (Judgement(new.ruling.verdict.value), amount)
        elif said:
            wanted[key] = (said[-1], amount)
        else:
            wanted[key] = (judgement, amount)
    for counted in Judgement:
        amounts = [amount for judgement, amount in wanted.values() if judgement is counted]
        assert getattr(outcome, counted.value) == Tally(len(amounts), Decimal(sum(amounts)))
    assert (outcome.verdict is None) == any(
        judgement is Judgement.UNDECIDED for judgement, _ in wanted.values()
    )


def test_a_payment_in_another_currency_is_counted_and_in_no_sum() -> None:
    case = make_case()
    key = make_decision().payments[0].event_key
    decision = make_decision(payments=make_decision().payments[:1])

    outcome = outcome_of(case, {key: row(key, Judgement.UNDECIDED, 5, "EUR")}, [], decision)

    assert outcome.fraud == Tally(1, Decimal(0))


def test_a_decision_is_in_flight_for_minutes_unless_it_is_undone() -> None:
    decision = make_decision()

    assert is_in_flight(decision, NOW + IN_FLIGHT - timedelta(seconds=1))
    assert not is_in_flight(decision, NOW + IN_FLIGHT)
    assert not is_in_flight(make_decision(undone_by="ann", undone_at=NOW), NOW)


STEPS = st.lists(
    st.tuples(
        st.sets(st.sampled_from("abcdef"), min_size=1),
        VERDICTS,
        st.booleans(),
        st.lists(st.sampled_from(Judgement), min_size=6, max_size=6),
    ),
    min_size=1,
    max_size=8,
)


@given(STEPS, st.integers(1, 30))
def test_much_money_is_looked_at_however_it_is_split_and_whatever_rows_say_meanwhile(
    steps: list[tuple[set[str], LabelVerdict, bool, list[Judgement]]], limit: int
) -> None:
    """Amounts are 5 each. A step that is undone says nothing afterwards."""
    made, case = list[CaseDecision](), make_case()
    for keys, verdict, is_undone, judgements in steps:
        rows = {key: row(key, said, 5) for key, said in zip("abcdef", judgements, strict=True)}
        payments = tuple(DecidedPayment(key, key) for key in sorted(keys))
        new = make_decision(ruling=Ruling(verdict=verdict), payments=payments)

        found = release_of(case, rows, made, new, Earlier(), Decimal(limit))

        said = {key: one.ruling.verdict for one in made if one.undone_at is None for key in one.event_keys}
        was_fraud = any(
            said.get(key) is LabelVerdict.FRAUD or rows[key].case_judgement is Judgement.FRAUD for key in keys
        )
        said |= dict.fromkeys(keys, verdict)
        released = 5 * [*said.values()].count(LabelVerdict.LEGITIMATE)
        if verdict is LabelVerdict.FRAUD:
            assert found is None
        elif released >= limit or was_fraud:
            assert found is not None
            assert found.total.amount_base >= released
        undone = {"undone_by": "ann", "undone_at": NOW} if is_undone else {}
        made.append(msgspec.structs.replace(new, **undone))


def test_whatever_is_released_after_a_look_is_looked_at_too() -> None:
    case = make_case(second_look=SecondLook(NOW, Tally(1, Decimal(10_000)), "bob", NOW))
    decision = make_decision(ruling=Ruling(verdict=LabelVerdict.LEGITIMATE))
    rows = {key: row(key, Judgement.UNDECIDED, 1) for key in decision.event_keys}

    found = release_of(case, rows, (), decision, Earlier(), Decimal(10_000))

    assert found == Release(Tally(2, Decimal(2)), frozenset())
