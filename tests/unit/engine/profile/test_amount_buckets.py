"""Buckets of amounts count exactly up to their limits, saturate at them, and forget the oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.profile.amount_buckets import (
    MAX_COUNT,
    MAX_DECIDED,
    MAX_SQUARES,
    MAX_SUM_MINOR,
    HabitBuckets,
    VelocityBuckets,
)

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_AMOUNT = 2**53


class Velocity(VelocityBuckets):
    """Buckets of all payments to which approved ones are added, as to those of habits."""

    def add(self, bucket: int, currency: int, amount_minor: int, reviewed: int = 0, blocked: int = 0) -> None:
        super().add(bucket, currency, amount_minor, reviewed, blocked)


Buckets = Velocity | HabitBuckets


@pytest.fixture(params=[Velocity, HabitBuckets])
def make_buckets(request: pytest.FixtureRequest) -> Callable[..., Buckets]:
    """Make buckets of either kind, with a span of 3 and at most 10 rows."""

    def make(span: int = 3, max_rows: int = 10) -> Buckets:
        kind: type[Buckets] = request.param
        return kind(span, max_rows)

    return make


def rows(buckets: VelocityBuckets | HabitBuckets) -> list[tuple[int, int, int, int]]:
    return list(zip(buckets.bucket, buckets.currency, buckets.count, buckets.sum_minor, strict=True))


def test_payments_of_a_bucket_and_currency_share_a_row(make_buckets: Callable[..., Buckets]) -> None:
    buckets = make_buckets()
    for bucket, currency, amount in ((7, 2, 30), (7, 1, 5), (6, 2, 1), (7, 2, 12), (6, 2, 1)):
        buckets.add(bucket, currency, amount)

    assert rows(buckets) == [(6, 2, 2, 2), (7, 1, 1, 5), (7, 2, 2, 42)]
    assert len(buckets) == 3


@pytest.mark.parametrize("amount", [2**32 - 1, 2**32, 2**32 + 1, LARGEST_AMOUNT])
def test_squares_of_large_amounts_are_exact(amount: int) -> None:
    buckets = HabitBuckets(3, 10)

    buckets.add(1, 1, amount)
    assert buckets.squares(0) == amount**2

    buckets.add(1, 1, amount)
    assert buckets.squares(0) == 2 * amount**2


def test_squares_are_stored_in_two_columns_of_64_bits() -> None:
    buckets = HabitBuckets(3, 10)

    buckets.add(1, 1, 2**33)

    assert (buckets.squares_low[0], buckets.squares_high[0]) == (0, 4)


def test_squares_saturate_at_128_bits() -> None:
    buckets = HabitBuckets(3, 10)
    buckets.add(1, 1, 1)
    buckets.squares_low[0], buckets.squares_high[0] = 2**64 - 3, 2**64 - 1

    buckets.add(1, 1, 1)
    assert buckets.squares(0) == MAX_SQUARES - 1

    buckets.add(1, 1, 1)
    assert buckets.squares(0) == MAX_SQUARES == 2**128 - 1

    buckets.add(1, 1, 1)
    assert buckets.squares(0) == MAX_SQUARES


def test_sums_saturate_at_63_bits(make_buckets: Callable[..., Buckets]) -> None:
    buckets = make_buckets()
    buckets.add(1, 1, 1)
    buckets.sum_minor[0] = MAX_SUM_MINOR - 1

    buckets.add(1, 1, 1)
    assert buckets.sum_minor[0] == MAX_SUM_MINOR == 2**63 - 1

    buckets.add(1, 1, 1)
    assert buckets.sum_minor[0] == MAX_SUM_MINOR


def test_counts_saturate_at_16_bits(make_buckets: Callable[..., Buckets]) -> None:
    buckets = make_buckets()
    buckets.add(1, 1, 1)
    buckets.count[0] = MAX_COUNT - 1

    buckets.add(1, 1, 1)
    assert buckets.count[0] == MAX_COUNT == 2**16 - 1

    buckets.add(1, 1, 1)
    assert buckets.count[0] == MAX_COUNT


def test_payment_is_counted_up_to_the_span_and_not_beyond(make_buckets: Callable[..., Buckets]) -> None:
    buckets = make_buckets(span=3)
    buckets.add(10, 1, 1)

    buckets.add(8, 1, 1)
    buckets.add(7, 1, 1)

    assert list(buckets.bucket) == [8, 10]


def test_newer_payment_forgets_what_is_older_than_the_span(make_buckets: Callable[..., Buckets]) -> None:
    buckets = make_buckets(span=3)
    for bucket in (7, 8, 9):
        buckets.add(bucket, 1, 1)

    buckets.add(10, 1, 1)
    assert list(buckets.bucket) == [8, 9, 10]

    buckets.add(13, 1, 1)
    assert list(buckets.bucket) == [13]


def test_beyond_the_most_rows_the_oldest_is_forgotten(make_buckets: Callable[..., Buckets]) -> None:
    buckets = make_buckets(span=9, max_rows=3)
    for bucket in (5, 6, 7):
        buckets.add(bucket, 1, 1)
    assert list(buckets.bucket) == [5, 6, 7]

    buckets.add(8, 1, 1)

    assert list(buckets.bucket) == [6, 7, 8]


def test_payment_older_than_every_row_is_counted_only_while_there_is_room(
    make_buckets: Callable[..., Buckets],
) -> None:
    full, with_room = make_buckets(span=9, max_rows=2), make_buckets(span=9, max_rows=3)
    for buckets in (full, with_room):
        for bucket in (6, 7, 5):
            buckets.add(bucket, 1, 1)

    assert list(full.bucket) == [6, 7]
    assert list(with_room.bucket) == [5, 6, 7]


def test_payment_between_full_rows_displaces_the_oldest(make_buckets: Callable[..., Buckets]) -> None:
    buckets = make_buckets(span=9, max_rows=2)
    for bucket in (5, 7, 6):
        buckets.add(bucket, 1, 1)

    assert list(buckets.bucket) == [6, 7]


def test_known_bucket_is_counted_although_all_rows_are_taken(make_buckets: Callable[..., Buckets]) -> None:
    buckets = make_buckets(span=9, max_rows=2)
    for bucket in (5, 7, 5):
        buckets.add(bucket, 1, 1)

    assert rows(buckets) == [(5, 1, 2, 2), (7, 1, 1, 1)]


def test_window_includes_both_its_ends(make_buckets: Callable[..., Buckets]) -> None:
    buckets = make_buckets(span=9)
    for bucket in (2, 3, 5, 6):
        buckets.add(bucket, 1, 1)

    assert list(buckets.bucket[buckets.window(3, 5)]) == [3, 5]


def test_columns_are_those_of_their_type_codes(make_buckets: Callable[..., Buckets]) -> None:
    buckets = make_buckets()

    buckets.add(1, 2, 2**40)
    buckets.add(1, 2, 2**40)

    columns = buckets.columns()
    assert "".join(column.typecode for column in columns) == buckets.TYPECODES
    assert [list(column) for column in columns[:4]] == [[1], [2], [2], [2**41]]


def test_decisions_are_counted_beside_the_payments() -> None:
    buckets = VelocityBuckets(9, 10)
    for bucket, reviewed, blocked in ((7, 0, 1), (7, 0, 0), (7, 1, 0), (7, 1, 0), (6, 1, 0), (8, 0, 0)):
        buckets.add(bucket, 1, 5, reviewed, blocked)

    assert rows(buckets) == [(6, 1, 1, 5), (7, 1, 4, 20), (8, 1, 1, 5)]
    assert list(buckets.reviewed) == [1, 2, 0]
    assert list(buckets.blocked) == [0, 1, 0]


def test_decisions_saturate_at_8_bits() -> None:
    buckets = VelocityBuckets(9, 10)
    buckets.add(1, 1, 1, 1, 0)
    buckets.reviewed[0] = buckets.blocked[0] = MAX_DECIDED - 1

    for _ in range(2):
        buckets.add(1, 1, 1, 1, 0)
        buckets.add(1, 1, 1, 0, 1)

    assert (buckets.reviewed[0], buckets.blocked[0]) == (MAX_DECIDED, MAX_DECIDED) == (2**8 - 1,) * 2
