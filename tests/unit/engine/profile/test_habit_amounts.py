"""The newest amounts are kept in the order of time, whatever the order of arrival."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from engine.profile.habit_amounts import HABIT_CAPACITY, HabitAmounts

if TYPE_CHECKING:
    from collections.abc import Sequence

Amount = tuple[int, int, int, int]


def kept(amounts: Sequence[Amount]) -> list[Amount]:
    habits = HabitAmounts()
    for amount in amounts:
        habits.add(*amount)
    return list(zip(*habits.columns(), strict=True))


def test_capacity_is_32() -> None:
    assert HABIT_CAPACITY == 32


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(1, 4), st.integers(0, 1), st.integers(0, 2)), max_size=80
    )
)
def test_kept_are_the_greatest_by_time_amount_currency_and_fields(amounts: list[Amount]) -> None:
    assert kept(amounts) == sorted(amounts)[-HABIT_CAPACITY:]


def test_amount_older_than_all_that_are_kept_is_not_kept() -> None:
    full = [(100 + number, 5, 1, 9) for number in range(HABIT_CAPACITY)]

    assert kept([*full, (99, 7, 1, 9)]) == full
    assert kept([*full, (101, 7, 1, 9)]) == sorted([*full[1:], (101, 7, 1, 9)])


def test_length_is_the_number_of_amounts() -> None:
    habits = HabitAmounts()
    habits.add(1, 2, 3, 4)

    assert len(habits) == 1
    assert "".join(column.typecode for column in habits.columns()) == HabitAmounts.TYPECODES


def test_amounts_of_0_displace_no_amount() -> None:
    usual = [(100 + number, 5, 1, 9) for number in range(HABIT_CAPACITY)]

    assert kept([*usual, *((200 + number, 0, 1, 9) for number in range(HABIT_CAPACITY))]) == usual
