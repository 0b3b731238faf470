"""The ring keeps the payments with the latest clocks, in any order of arrival."""

from __future__ import annotations

from engine.profile.recent_payments import RING_CAPACITY, RecentPayments


def row(clock_ms: int, key: int = 1, merchant: int = 0) -> tuple[int, ...]:
    return (clock_ms, key, 900, 100, 1, merchant, 0, 0, 0, 0, 0)


def ring(*times: int) -> RecentPayments:
    payments = RecentPayments()
    for clock_ms in times:
        payments.add(row(clock_ms))
    return payments


def test_payments_are_in_the_order_of_the_clock_and_then_of_their_hashes() -> None:
    payments = RecentPayments()
    for clock_ms, key in ((5, 3), (5, 1), (4, 9), (5, 2), (6, 0)):
        payments.add(row(clock_ms, key))

    assert list(zip(payments.clock_ms, payments.key_hash, strict=True)) == [
        (4, 9),
        (5, 1),
        (5, 2),
        (5, 3),
        (6, 0),
    ]


def test_a_payment_is_held_by_its_own_hash_alone_not_by_halves_of_two() -> None:
    payments = RecentPayments()
    payments.add(row(1, key=0x1111111122222222))
    payments.add(row(2, key=0x3333333344444444))

    held = [0x1111111122222222, 0x3333333344444444]
    halves = [0x4444444411111111, 0x2222222233333333, 0x2222222211111111, 0, 0x11111111]

    assert [payments.holds(key) for key in (*held, *halves)] == [True] * 2 + [False] * 5


def test_all_columns_move_together() -> None:
    payments = RecentPayments()
    payments.add((5, 10, 17, 100, 1, 11, 12, 13, 14, 1, 55))
    payments.add((4, 20, 27, 200, 2, 21, 22, 23, 24, 2, 95))

    assert [list(column) for column in payments.columns()] == [
        [4, 5],
        [20, 10],
        [27, 17],
        [200, 100],
        [2, 1],
        [21, 11],
        [22, 12],
        [23, 13],
        [24, 14],
        [2, 1],
        [95, 55],
    ]
    assert (list(payments.content), list(payments.decision), list(payments.risk_score)) == (
        [24, 14],
        [2, 1],
        [95, 55],
    )
    assert list(payments.id_hash) == [27, 17]


def test_ring_is_full_at_its_capacity_and_not_before() -> None:
    assert RING_CAPACITY == 32
    assert not ring(*range(31)).is_full
    assert ring(*range(32)).is_full


def test_beyond_the_capacity_the_oldest_is_forgotten() -> None:
    assert list(ring(*range(33)).clock_ms) == list(range(1, 33))
    assert list(ring(*range(10, 42), 15).clock_ms) == sorted([*range(11, 42), 15])


def test_payment_older_than_a_full_ring_is_not_kept() -> None:
    assert list(ring(*range(10, 42), 9).clock_ms) == list(range(10, 42))


def test_ring_is_complete_from_the_start_until_it_is_full_and_then_after_its_first_payment() -> None:
    assert ring(*range(10, 41)).complete_after_ms == -(2**63)
    assert ring(*range(10, 42)).complete_after_ms == 10
    assert ring(*range(10, 43)).complete_after_ms == 11


def test_distinct_values_include_ones_own_and_leave_out_0() -> None:
    payments = RecentPayments()
    for clock_ms, merchant in enumerate((7, 0, 8, 7, 9)):
        payments.add(row(clock_ms, merchant=merchant))
    merchants = payments.merchant

    assert payments.distinct(merchants, 0, 5, own=7) == 3
    assert payments.distinct(merchants, 0, 5, own=5) == 4
    assert payments.distinct(merchants, 0, 5, own=0) == 3
    assert payments.distinct(merchants, 0, 1, own=7) == 1
    assert payments.distinct(merchants, 1, 2, own=0) == 0
    assert payments.distinct(merchants, 1, 2, own=7) == 1
    assert payments.distinct(merchants, 2, 4, own=8) == 2
    assert payments.distinct(merchants, 0, 0, own=7) == 1
    assert payments.distinct(merchants, 0, 0, own=0) == 0
