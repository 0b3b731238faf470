"""Which of several labels counts: a function of the set, whatever order they arrive in."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.label import LabelSource, LabelVerdict, effective, turns
from tests.support.labels import KNOWN_AT, make_label, make_withdrawal

if TYPE_CHECKING:
    from contract.label import Label

DAY = timedelta(days=1)
LEGITIMATE = LabelVerdict.LEGITIMATE


@st.composite
def payments_labels(draw: st.DrawFn) -> list[Label]:
    labels = [
        make_label(
            label_id=f"l-{number}",
            verdict=draw(st.sampled_from([LabelVerdict.FRAUD, LEGITIMATE])),
            source=draw(st.sampled_from(list(LabelSource))),
            confidence=draw(st.sampled_from([0.0, 0.49, 0.5, 0.9, 1.0])),
            known_at=KNOWN_AT + timedelta(hours=draw(st.integers(0, 3))),
        )
        for number in range(draw(st.integers(0, 5)))
    ]
    withdrawn = [label for label in labels if draw(st.booleans())]
    return labels + [make_withdrawal(label) for label in withdrawn]


@given(payments_labels(), st.randoms(use_true_random=False))
def test_what_counts_does_not_depend_on_the_order_of_arrival_nor_on_repeats(labels, random) -> None:  # type: ignore[no-untyped-def]  # hypothesis' Random
    shuffled = [*labels, *labels[:2]]
    random.shuffle(shuffled)

    assert effective(shuffled) == effective(labels)
    assert effective(labels) in [*labels, None]


@given(payments_labels())
def test_what_counts_is_neither_withdrawn_nor_a_withdrawal_nor_doubtful(labels: list[Label]) -> None:
    label = effective(labels)

    withdrawn = {each.withdraws for each in labels}
    if label is not None:
        assert label.verdict is not LabelVerdict.WITHDRAWN
        assert label.label_id not in withdrawn
        assert label.confidence >= 0.5


def test_nothing_counts_of_no_labels() -> None:
    assert effective([]) is None


def test_a_newer_label_counts() -> None:
    old = make_label(label_id="l-1")
    new = make_label(label_id="l-2", verdict=LEGITIMATE, known_at=KNOWN_AT + DAY)

    assert effective([old, new]) == effective([new, old]) == new


def test_an_analyst_comes_before_a_newer_claim_of_a_customer() -> None:
    analyst = make_label(verdict=LEGITIMATE)
    claims = [
        make_label(label_id=source.value, source=source, known_at=KNOWN_AT + DAY)
        for source in (LabelSource.CUSTOMER, LabelSource.EARLY_WARNING)
    ]

    assert effective([analyst, *claims]) == analyst


def test_a_newer_chargeback_comes_before_an_analyst() -> None:
    analyst = make_label(verdict=LEGITIMATE)
    chargeback = make_label(label_id="cb", source=LabelSource.CHARGEBACK, known_at=KNOWN_AT + DAY)

    assert effective([analyst, chargeback]) == chargeback


def test_of_two_at_one_time_the_surer_counts_then_fraud() -> None:
    sure = make_label(label_id="a", verdict=LEGITIMATE, confidence=0.9)
    unsure = make_label(label_id="b", confidence=0.8)
    fraud = make_label(label_id="0", confidence=0.9)

    assert effective([sure, unsure]) == sure
    assert effective([sure, fraud]) == fraud


def test_a_label_that_is_rather_not_true_does_not_count() -> None:
    doubtful = make_label(confidence=0.4, known_at=KNOWN_AT + DAY)
    earlier = make_label(label_id="l-0", verdict=LEGITIMATE)

    assert effective([doubtful]) is None
    assert effective([doubtful, earlier]) == earlier


def test_a_withdrawal_restores_what_counted_before_even_if_it_comes_first() -> None:
    first = make_label(verdict=LEGITIMATE)
    second = make_label(label_id="l-2", known_at=KNOWN_AT + DAY)
    withdrawal = make_withdrawal(second, known_at=KNOWN_AT - DAY)

    for order in permutations([first, second, withdrawal]):
        assert effective(order) == first


@pytest.mark.parametrize("source", [LabelSource.CUSTOMER, LabelSource.EARLY_WARNING])
def test_a_claim_withdraws_claims_and_no_label_that_rests_on_evidence(source: LabelSource) -> None:
    claim = make_label(label_id="claim", source=LabelSource.CUSTOMER)
    chargeback = make_label(label_id="cb", source=LabelSource.CHARGEBACK)

    assert effective([chargeback, make_withdrawal(chargeback, source=source)]) == chargeback
    assert effective([claim, make_withdrawal(claim, source=source)]) is None
    assert effective([claim, make_withdrawal(claim, source=LabelSource.ANALYST)]) is None


def test_a_withdrawal_that_is_rather_not_true_does_not_count() -> None:
    label = make_label()

    assert effective([label, make_withdrawal(label, confidence=0.4)]) == label


def test_a_withdrawal_cannot_be_withdrawn() -> None:
    label = make_label()
    withdrawal = make_withdrawal(label)

    assert effective([label, withdrawal, make_withdrawal(withdrawal)]) is None


def test_a_verdict_that_is_confirmed_is_no_turn_and_one_that_returns_is() -> None:
    fraud = make_label()
    confirmed = make_label(label_id="l-2", source=LabelSource.CHARGEBACK, known_at=KNOWN_AT + DAY)
    honest = make_label(label_id="l-3", verdict=LEGITIMATE, known_at=KNOWN_AT + 2 * DAY)

    assert turns([fraud]) == turns([fraud, confirmed]) == 1
    assert turns([fraud, honest]) == 2
    assert turns([fraud, honest, make_withdrawal(honest)]) == 3


@given(payments_labels(), st.randoms(use_true_random=False))
def test_turns_do_not_depend_on_the_order_of_arrival(labels, random) -> None:  # type: ignore[no-untyped-def]  # hypothesis' Random
    shuffled = list(labels)
    random.shuffle(shuffled)

    assert turns(shuffled) == turns(labels)
