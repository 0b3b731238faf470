"""What a stored payment was follows from the labels that count, from its decision, and from how old it is."""

from __future__ import annotations

import pickle

import pytest

from contract.errors import InvalidRowError
from contract.items import to_item
from contract.label import LabelSource, LabelVerdict
from contract.scored import Decision
from lab.rows.truth import Finding, LabelBook, counting_finding, label_of, payment_hash
from tests.support.labels import make_label, make_withdrawal
from tests.support.payments import make_scored, make_transaction

CLOCK_MS = 1_000


def book(*labelled: tuple[str, str, Finding], **changes: int) -> LabelBook:
    return LabelBook(
        {payment_hash(user, event_key): finding for user, event_key, finding in labelled}, **changes
    )


@pytest.mark.parametrize("decision", list(Decision))
@pytest.mark.parametrize("finding", [Finding.FRAUD, Finding.HONEST])
def test_a_label_says_what_a_payment_was_whatever_was_decided(decision: Decision, finding: Finding) -> None:
    row = make_scored(make_transaction(user_id="u-1"), decision=decision)

    assert book(("u-1", "k", finding)).finding(row, "k", CLOCK_MS) is finding


@pytest.mark.parametrize(
    ("decision", "finding"),
    [
        (Decision.APPROVE, Finding.HONEST),
        (Decision.REVIEW, Finding.HONEST),
        (Decision.BLOCK, Finding.UNKNOWN),
    ],
)
def test_without_a_label_a_blocked_payment_is_no_honest_one(decision: Decision, finding: Finding) -> None:
    row = make_scored(make_transaction(user_id="u-1"), decision=decision)
    labels = book(("u-1", "other", Finding.FRAUD), ("u-2", "k", Finding.FRAUD))

    assert labels.finding(row, "k", CLOCK_MS) is finding


def test_a_payment_that_is_too_young_is_not_known_even_with_a_label() -> None:
    row = make_scored(make_transaction(user_id="u-1"), decision=Decision.APPROVE)
    labels = book(("u-1", "k", Finding.FRAUD), judged_until_ms=CLOCK_MS)

    assert labels.finding(row, "k", CLOCK_MS) is Finding.FRAUD
    assert labels.finding(row, "k", CLOCK_MS + 1) is Finding.UNKNOWN


def test_of_several_labels_the_one_that_counts_is_taken() -> None:
    claim = make_label(source=LabelSource.CUSTOMER)
    judged = make_label(label_id="l-2", verdict=LabelVerdict.LEGITIMATE)

    assert counting_finding([claim]) is Finding.FRAUD
    assert counting_finding([claim, judged]) is Finding.HONEST
    assert counting_finding([claim, make_withdrawal(claim)]) is None
    assert counting_finding([]) is None


def test_a_label_is_read_from_its_row_and_a_bad_one_is_refused_by_its_attribute() -> None:
    label = make_label(entity_ids=("m:0001020304050607",), seen=(0, 2**62))
    item = to_item(label)

    assert label_of(item) == label
    with pytest.raises(InvalidRowError, match=r"^labels\.verdict: "):
        label_of({**item, "verdict": {"S": "guilty"}})


def test_labels_reach_a_worker_as_they_are() -> None:
    labels = book(("u-1", "k", Finding.FRAUD), ("u-2", "k", Finding.HONEST))
    row = make_scored(make_transaction(user_id="u-2"), decision=Decision.BLOCK)

    again = pickle.loads(pickle.dumps(labels))

    assert len(again) == 2
    assert again.finding(row, "k", CLOCK_MS) is Finding.HONEST
