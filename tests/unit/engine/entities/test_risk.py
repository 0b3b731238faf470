"""What labels say of an entity: counted once, whenever they come, and no longer once they are withdrawn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.entity_ids import EntityKind, entity_ids
from engine.entities.kinds import kind_of
from engine.entities.risk import (
    MAX_PAYMENTS,
    PRIOR_PAYMENTS,
    LabelledPayments,
    Risk,
    RiskFormatError,
    fraud_rate,
    from_bytes,
    to_bytes,
    with_risk,
)
from tests.support.payments import make_transaction

NOW_S = 1_790_000_000
DAY_S = 86_400
Label = tuple[int, bool | None]


def labelled(*labels: Label) -> LabelledPayments:
    """Labels in the order in which they become known; a payment's number is its key hash, and its day."""
    payments = LabelledPayments()
    for known, (payment, is_fraud) in enumerate(labels):
        payments.set(payment, NOW_S + payment * DAY_S, is_fraud=is_fraud, known_s=NOW_S + known)
    return payments


def frauds_of(payments: LabelledPayments) -> list[int]:
    return [(at_s - NOW_S) // DAY_S for at_s in payments.risk().frauds_s]


def test_label_that_comes_twice_counts_once_and_one_that_comes_late_finds_its_place() -> None:
    assert frauds_of(labelled((5, True), (2, True), (5, True), (9, True))) == [2, 5, 9]


def test_correction_removes_exactly_what_the_label_added() -> None:
    before = labelled((1, True), (3, True)).risk()

    withdrawn = labelled((1, True), (3, True), (2, True), (2, None)).risk()
    corrected = labelled((1, True), (3, True), (2, True), (2, False))

    assert withdrawn.frauds_s == before.frauds_s
    assert withdrawn.honest_s == before.honest_s == 0
    assert frauds_of(corrected) == [1, 3]
    assert corrected.risk().honest_s == NOW_S + 2 * DAY_S


@given(st.lists(st.tuples(st.integers(0, 20), st.none() | st.booleans()), max_size=30))
def test_the_last_label_of_each_payment_counts_whatever_came_between(labels: list[Label]) -> None:
    last = dict(labels)

    risk = labelled(*labels).risk()

    wanted = sorted(NOW_S + payment * DAY_S for payment, is_fraud in last.items() if is_fraud)
    honest = [NOW_S + payment * DAY_S for payment, is_fraud in last.items() if is_fraud is False]
    assert list(risk.frauds_s) == wanted
    assert risk.honest_s == max(honest, default=0)


def test_honest_label_that_is_older_than_the_run_of_frauds_does_not_end_it() -> None:
    run = labelled((3, True), (4, True), (6, True), (1, False)).risk().run(NOW_S + 7 * DAY_S)
    ended = labelled((3, True), (4, True), (6, True), (5, False)).risk().run(NOW_S + 7 * DAY_S)
    none = labelled((3, True), (5, False)).risk().run(NOW_S + 7 * DAY_S)

    assert run == (3, NOW_S + 3 * DAY_S)
    assert ended == (1, NOW_S + 6 * DAY_S)
    assert none == (0, 0)


def test_payment_later_than_the_one_that_is_scored_is_not_counted() -> None:
    risk = labelled((1, True), (2, True), (8, True)).risk()

    assert risk.frauds(NOW_S, NOW_S + 5 * DAY_S) == 2
    assert risk.frauds(NOW_S + 1 * DAY_S, NOW_S + 8 * DAY_S) == 2
    assert risk.run(NOW_S + 5 * DAY_S) == (2, NOW_S + 1 * DAY_S)


def test_beyond_the_capacity_the_oldest_payment_is_forgotten_whenever_its_label_came() -> None:
    labels = [(payment, True) for payment in range(MAX_PAYMENTS + 3)]

    assert frauds_of(labelled(*labels)) == list(range(3, MAX_PAYMENTS + 3))
    assert frauds_of(labelled(*reversed(labels))) == list(range(3, MAX_PAYMENTS + 3))


def test_share_of_fraud_is_the_usual_one_without_payments_and_its_own_with_many() -> None:
    assert fraud_rate(0, 0, 0.01) == pytest.approx(0.01)
    assert fraud_rate(5, round(PRIOR_PAYMENTS), 0.1) == pytest.approx(7 / 40)
    assert fraud_rate(50_000, 100_000, 0.01) == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("risk", [Risk((), 0, 0), Risk((1, 2, 2, 2**32 - 1), 5, 9)])
def test_risk_is_read_as_it_was_written(risk: Risk) -> None:
    assert from_bytes(to_bytes(risk)) == risk


def test_of_more_frauds_than_an_entity_remembers_the_latest_are_written() -> None:
    times = tuple(range(NOW_S, NOW_S + MAX_PAYMENTS + 3))

    assert from_bytes(to_bytes(Risk(times, 0, 0))).frauds_s == times[3:]


def test_times_that_32_bits_do_not_hold_are_written_as_the_nearest_that_they_do() -> None:
    assert from_bytes(to_bytes(Risk((-5, 2**33), -1, 2**40))) == Risk((0, 2**32 - 1), 0, 2**32 - 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02" + bytes(11),
        to_bytes(Risk((1, 2), 0, 0))[:-1],
        to_bytes(Risk((1, 2), 0, 0)) + b"\0",
        b"\x01\x01" + bytes(10),
        b"\x01" + bytes([MAX_PAYMENTS + 1]) + bytes(10 + 4 * (MAX_PAYMENTS + 1)),
        to_bytes(Risk((2, 1), 0, 0)),
    ],
)
def test_bytes_of_another_form_are_refused(data: bytes) -> None:
    with pytest.raises(RiskFormatError):
        from_bytes(data)


def test_labels_say_something_of_every_entity_but_the_network() -> None:
    ids = entity_ids(make_transaction(ip_address="203.0.113.9", device_id="d-1", payee_id=None))

    risky = with_risk(ids)

    assert [kind_of(each) for each in risky] == [
        kind for kind in EntityKind if ids[kind] is not None and kind is not EntityKind.NETWORK
    ]
