"""Seen values keep their first and last times and their number; of each kind, beyond its capacity, a stranger is forgotten first."""

from __future__ import annotations

import pytest

from engine.profile.seen_values import (
    CAPACITY,
    FAMILIAR_AGE_S,
    FAMILIAR_COUNT,
    MAX_SEEN,
    SeenKind,
    SeenValues,
    is_familiar,
)

START_S = 1_000_000_000


def value(kind: SeenKind, number: int) -> int:
    """A hash of a kind; greater for a greater number."""
    return number << 3 | kind


def first_seen_s(seen: SeenValues, one: int | None) -> int | None:
    """Of a single value."""
    [found] = seen.find([one])
    return found[0] if found else None


def rows(seen: SeenValues) -> list[tuple[int, int, int, int]]:
    return list(zip(seen.value, seen.first_s, seen.last_s, seen.count, strict=True))


def test_value_keeps_when_it_was_first_and_last_seen() -> None:
    seen, device = SeenValues(), value(SeenKind.DEVICE, 1)
    for at_s in (50, 20, 90, 30):
        seen.add(device, at_s)

    assert rows(seen) == [(device, 20, 90, 4)]
    assert first_seen_s(seen, device) == 20


def test_values_are_sorted_whatever_the_order() -> None:
    seen = SeenValues()
    for number in (5, 1, 9, 3):
        seen.add(value(SeenKind.PAYEE, number), number)

    assert list(seen.value) == sorted(seen.value)
    found = seen.find([value(SeenKind.PAYEE, number) for number in (1, 3, 5, 9)])
    assert found == [(1, 1), (3, 1), (5, 1), (9, 1)]
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


def test_number_ends_at_16_bits() -> None:
    seen, device = SeenValues(), value(SeenKind.DEVICE, 1)
    seen.add(device, 1)
    seen.count[0] = MAX_SEEN - 1

    for at_s in (2, 3, 4):
        seen.add(device, at_s)

    assert rows(seen) == [(device, 1, 4, MAX_SEEN)]


@pytest.mark.parametrize(
    ("count", "age_s", "expected"),
    [
        (FAMILIAR_COUNT, FAMILIAR_AGE_S, True),
        (FAMILIAR_COUNT - 1, FAMILIAR_AGE_S, False),
        (FAMILIAR_COUNT, FAMILIAR_AGE_S - 1, False),
        (1, 400 * 86_400, False),
        (1_000, 0, False),
        (1_000, -5, False),
    ],
)
def test_value_is_familiar_by_its_number_and_its_age_together(count: int, age_s: int, expected: bool) -> None:
    assert is_familiar(START_S, count, START_S + age_s) is expected


def make_familiar(seen: SeenValues, one: int, last_s: int) -> None:
    for at_s in (last_s - FAMILIAR_AGE_S, last_s - 60, last_s):
        seen.add(one, at_s)


def devices(seen: SeenValues) -> list[int]:
    return [each >> 3 for each in seen.value]


def test_strangers_displace_each_other_and_no_familiar_value_however_long_ago_it_was_seen() -> None:
    seen = SeenValues()
    for number in range(5):
        make_familiar(seen, value(SeenKind.DEVICE, number), START_S + number)

    for number in range(100, 200):
        seen.add(value(SeenKind.DEVICE, number), START_S + 90 * 86_400 + number)

    assert devices(seen) == [0, 1, 2, 3, 4, 197, 198, 199]


def test_value_is_a_stranger_while_its_sightings_are_many_but_young_or_old_but_few() -> None:
    seen = SeenValues()
    young, few = value(SeenKind.CHANNEL, 1), value(SeenKind.CHANNEL, 2)
    for at_s in range(100):
        seen.add(young, START_S + at_s)
    seen.add(few, START_S - FAMILIAR_AGE_S)
    seen.add(few, START_S + 100)
    for number in range(3, 7):
        make_familiar(seen, value(SeenKind.CHANNEL, number), START_S - 86_400)

    seen.add(value(SeenKind.CHANNEL, 8), START_S + 200)
    seen.add(value(SeenKind.CHANNEL, 9), START_S + 300)

    assert devices(seen) == [3, 4, 5, 6, 8, 9]


def test_where_all_are_familiar_a_stranger_displaces_the_one_last_seen_longest_ago_and_no_second_one() -> (
    None
):
    seen = SeenValues()
    for number in range(CAPACITY[SeenKind.CHANNEL]):
        make_familiar(seen, value(SeenKind.CHANNEL, number), START_S + number)

    for number in range(20, 30):
        seen.add(value(SeenKind.CHANNEL, number), START_S + 1_000 + number)

    assert devices(seen) == [1, 2, 3, 4, 5, 29]


def test_value_that_somebody_vouches_for_is_familiar_at_its_payment() -> None:
    seen, new, known = SeenValues(), value(SeenKind.PAYEE, 1), value(SeenKind.PAYEE, 2)
    seen.add(known, START_S)

    seen.vouch(new, START_S)
    seen.vouch(known, START_S)

    for found in seen.find([new, known]):
        assert found is not None
        assert is_familiar(*found, START_S)
    assert rows(seen) == [
        (new, START_S - FAMILIAR_AGE_S, START_S, FAMILIAR_COUNT),
        (known, START_S - FAMILIAR_AGE_S, START_S, FAMILIAR_COUNT),
    ]


def test_vouching_takes_neither_number_nor_age_from_a_value() -> None:
    seen, one = SeenValues(), value(SeenKind.PAYEE, 1)
    for at_s in range(0, 10 * FAMILIAR_AGE_S, FAMILIAR_AGE_S):
        seen.add(one, START_S + at_s)
    before = rows(seen)

    seen.vouch(one, START_S + 2 * FAMILIAR_AGE_S)

    assert rows(seen) == before


def test_payment_soon_after_the_epoch_can_be_vouched_for() -> None:
    seen, one = SeenValues(), value(SeenKind.PAYEE, 1)

    seen.vouch(one, 60)

    assert rows(seen) == [(one, 0, 60, FAMILIAR_COUNT)]


def test_value_that_somebody_vouches_for_displaces_a_stranger_that_was_seen_since() -> None:
    seen = SeenValues()
    for number in range(CAPACITY[SeenKind.MERCHANT]):
        seen.add(value(SeenKind.MERCHANT, 10 + number), START_S + 5 * 86_400 + number)
    vouched = value(SeenKind.MERCHANT, 1)

    seen.vouch(vouched, START_S)

    assert first_seen_s(seen, vouched) == START_S - FAMILIAR_AGE_S
    assert first_seen_s(seen, value(SeenKind.MERCHANT, 10)) is None
    assert len(seen) == CAPACITY[SeenKind.MERCHANT]


def test_value_that_somebody_vouches_for_displaces_no_familiar_value_that_was_seen_since() -> None:
    seen = SeenValues()
    for number in range(CAPACITY[SeenKind.CHANNEL]):
        make_familiar(seen, value(SeenKind.CHANNEL, 10 + number), START_S + 86_400)
    before = rows(seen)

    seen.vouch(value(SeenKind.CHANNEL, 1), START_S)

    assert rows(seen) == before


def test_forgotten_value_is_new_again_and_the_others_stay() -> None:
    seen = SeenValues()
    for number in (1, 2, 3):
        seen.add(value(SeenKind.DEVICE, number), START_S + number)

    seen.forget(value(SeenKind.DEVICE, 2))
    seen.forget(value(SeenKind.DEVICE, 9))

    assert rows(seen) == [
        (value(SeenKind.DEVICE, number), START_S + number, START_S + number, 1) for number in (1, 3)
    ]
