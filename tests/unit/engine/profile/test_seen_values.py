"""Seen values keep their first and last times; of each kind, beyond its capacity, the one last seen longest ago is forgotten."""

from __future__ import annotations

import pytest

from engine.profile.seen_values import CAPACITY, SeenKind, SeenValues


def value(kind: SeenKind, number: int) -> int:
    """A hash of a kind; greater for a greater number."""
    return number << 3 | kind


def first_seen_s(seen: SeenValues, one: int | None) -> int | None:
    """Of a single value."""
    [found] = seen.first_seen_s([one])
    return found


def rows(seen: SeenValues) -> list[tuple[int, int, int]]:
    return list(zip(seen.value, seen.first_s, seen.last_s, strict=True))


def test_value_keeps_when_it_was_first_and_last_seen() -> None:
    seen, device = SeenValues(), value(SeenKind.DEVICE, 1)
    for at_s in (50, 20, 90, 30):
        seen.add(device, at_s)

    assert rows(seen) == [(device, 20, 90)]
    assert first_seen_s(seen, device) == 20


def test_values_are_sorted_whatever_the_order() -> None:
    seen = SeenValues()
    for number in (5, 1, 9, 3):
        seen.add(value(SeenKind.PAYEE, number), number)

    assert list(seen.value) == sorted(seen.value)
    assert seen.first_seen_s([value(SeenKind.PAYEE, number) for number in (1, 3, 5, 9)]) == [1, 3, 5, 9]
    assert len(seen) == 4


def test_unknown_value_and_none_were_never_seen() -> None:
    seen = SeenValues()
    seen.add(value(SeenKind.DEVICE, 5), 100)

    assert first_seen_s(seen, value(SeenKind.DEVICE, 4)) is None
    assert first_seen_s(seen, value(SeenKind.DEVICE, 6)) is None
    assert first_seen_s(seen, None) is None


@pytest.mark.parametrize(
    ("kind", "capacity"),
    [
        (SeenKind.COUNTRY, 10),
        (SeenKind.DEVICE, 8),
        (SeenKind.MERCHANT, 20),
        (SeenKind.PAYEE, 12),
        (SeenKind.CHANNEL, 6),
        (SeenKind.CURRENCY, 8),
    ],
)
def test_each_kind_has_its_capacity(kind: SeenKind, capacity: int) -> None:
    seen = SeenValues()
    for number in range(capacity):
        seen.add(value(kind, number), 100 + number)
    assert len(seen) == CAPACITY[kind] == capacity

    seen.add(value(kind, capacity), 1_000)

    assert first_seen_s(seen, value(kind, 0)) is None
    assert first_seen_s(seen, value(kind, 1)) == 101
    assert first_seen_s(seen, value(kind, capacity)) == 1_000
    assert len(seen) == capacity


def full_of_channels() -> SeenValues:
    seen = SeenValues()
    for number, last_s in ((1, 500), (2, 300), (3, 400), (4, 300), (5, 600), (6, 700)):
        seen.add(value(SeenKind.CHANNEL, number), last_s)
    return seen


def test_of_values_last_seen_at_one_time_the_lowest_is_forgotten() -> None:
    seen = full_of_channels()

    seen.add(value(SeenKind.CHANNEL, 9), 301)

    assert [each >> 3 for each in seen.value] == [1, 3, 4, 5, 6, 9]


def test_value_older_than_all_that_are_kept_is_not_kept() -> None:
    seen = full_of_channels()

    seen.add(value(SeenKind.CHANNEL, 9), 299)

    assert rows(seen) == rows(full_of_channels())


@pytest.mark.parametrize(("number", "is_kept"), [(1, False), (3, True)])
def test_value_as_old_as_the_oldest_is_kept_if_it_is_greater(number: int, is_kept: bool) -> None:
    seen = SeenValues()
    for other, last_s in ((2, 300), (4, 400), (5, 400), (6, 400), (7, 400), (8, 400)):
        seen.add(value(SeenKind.CHANNEL, other), last_s)

    seen.add(value(SeenKind.CHANNEL, number), 300)

    assert (first_seen_s(seen, value(SeenKind.CHANNEL, number)) == 300) is is_kept
    assert (first_seen_s(seen, value(SeenKind.CHANNEL, 2)) is None) is is_kept


def test_a_full_kind_forgets_none_of_another() -> None:
    seen = SeenValues()
    seen.add(value(SeenKind.DEVICE, 1), 1)
    for number in range(20):
        seen.add(value(SeenKind.CHANNEL, number), 100 + number)

    assert first_seen_s(seen, value(SeenKind.DEVICE, 1)) == 1
