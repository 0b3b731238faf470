"""Reviewed payments wait in the order of their clocks; at most six of them, and a flood displaces none."""

from __future__ import annotations

import pytest

from engine.profile.pending_payments import MAX_PENDING, RELEASE_AFTER_MS, ROW_BYTES, Pending, PendingPayments


def waiting(key_hash: int, clock_s: int) -> Pending:
    return Pending(key_hash, clock_s, clock_s - 5, key_hash * 100, 3, (1, 2, 3, 4, 5, 6), 7)


def of(*payments: Pending) -> PendingPayments:
    pending = PendingPayments()
    for payment in payments:
        pending.add(payment)
    return pending


def test_payments_are_in_the_order_of_clock_and_key_whatever_the_order_of_arrival() -> None:
    pending = of(waiting(3, 50), waiting(1, 50), waiting(2, 40))

    assert pending.payments == [waiting(2, 40), waiting(1, 50), waiting(3, 50)]
    assert [key_hash in pending for key_hash in (1, 2, 3, 4)] == [True, True, True, False]


def test_stored_form_holds_every_payment_whole() -> None:
    pending = of(waiting(7, 2**32 - 1), Pending(2**64 - 1, 5, 6, 2**53, 255, (0, 2**32 - 1, 1, 2, 3, 4), 255))

    stored = pending.to_bytes()

    assert len(stored) == 2 * ROW_BYTES
    assert PendingPayments(stored).payments == pending.payments
    assert PendingPayments(b"").payments == []


def test_of_a_flood_the_first_six_wait() -> None:
    pending = of(*(waiting(number, 1_000 - number) for number in range(20)))

    assert MAX_PENDING == len(pending) == 6
    assert sorted(each.key_hash for each in pending.payments) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(("after_ms", "due"), [(RELEASE_AFTER_MS - 1, ()), (RELEASE_AFTER_MS, (1,))])
def test_payment_is_due_after_its_time(after_ms: int, due: tuple[int, ...]) -> None:
    assert of(waiting(1, 50)).due(50_000 + after_ms) == due
    assert PendingPayments().due(2**60) == ()


def test_taken_payment_is_given_whole_and_is_gone() -> None:
    pending = of(waiting(1, 50), waiting(2, 60), waiting(3, 70))

    assert pending.take((3, 2, 7, 2)) == [waiting(2, 60), waiting(3, 70)]

    assert pending.take((2,)) == []
    assert pending.payments == [waiting(1, 50)]
