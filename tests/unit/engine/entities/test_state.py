"""One entity's state: what its windows count, compared with every single payment, in any order and through its bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.entities.levels import (
    BUCKET_S,
    BUCKETS_KEPT,
    CENTS,
    COUNTS,
    FIRST,
    HOUR_S,
    HOURS_KEPT,
    MICRO,
    PAYMENTS,
    WEEK_S,
    WEEKS_KEPT,
    YOUNG,
    total,
)
from engine.entities.state import (
    MAX_BYTES,
    MAX_USERS,
    Entity,
    EntityFormatError,
    Sighting,
    from_bytes,
    to_bytes,
)
from tests.support.sightings import user, users_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from random import Random

NOW_S = 1_790_000_123
KIND = 4
USER = user(7)

clocks = st.one_of(
    st.integers(NOW_S - 900, NOW_S + 900),
    st.integers(NOW_S - 3 * HOUR_S, NOW_S + 3 * HOUR_S),
    st.integers(NOW_S - 3 * 24 * HOUR_S, NOW_S + 3 * 24 * HOUR_S),
    st.integers(NOW_S - 9 * WEEK_S, NOW_S + 9 * WEEK_S),
)
users = st.integers(0, 40).map(user)
sightings = st.builds(
    Sighting,
    clocks,
    users,
    st.booleans(),
    st.booleans(),
    st.integers(0, 63),
    st.integers(0, 10**12),
    st.booleans(),
)
histories = st.lists(sightings, max_size=60)


def seen(
    clock_s: int = NOW_S, payer: bytes = USER, *, first: bool = False, cents: int = 100, approved: bool = True
) -> Sighting:
    return Sighting(clock_s, payer, True, True, first << KIND, cents, approved)


def entity_of(payments: Iterable[Sighting]) -> Entity:
    entity = Entity()
    for payment in payments:
        entity.fold(payment, KIND)
    return entity


class Oracle:
    """Every payment of an entity; windows are counted over all of them."""

    def __init__(self, payments: Sequence[Sighting]) -> None:
        self.payments = payments

    def within(self, unit_s: int, kept: int, clock_s: int) -> list[Sighting]:
        """Those of the ``kept`` units of time that end with the one of ``clock_s``; what lies ``kept`` behind the newest is dropped."""
        last = clock_s // unit_s
        newest = max((each.clock_s // unit_s for each in self.payments), default=0)
        return [
            each
            for each in self.payments
            if last - kept < each.clock_s // unit_s <= last and each.clock_s // unit_s > newest - kept
        ]

    def windows(self, clock_s: int) -> dict[str, float]:
        hour = self.within(BUCKET_S, BUCKETS_KEPT, clock_s)
        day = self.within(HOUR_S, HOURS_KEPT, clock_s)
        weeks = self.within(WEEK_S, WEEKS_KEPT, clock_s)
        approved_s = min((each.clock_s for each in self.payments if each.is_approved), default=2**32 - 1)
        good, good_day = ([each for each in some if each.is_approved] for some in (weeks, day))
        day_begins_s = (clock_s // HOUR_S - 24) * HOUR_S
        weeks_begin_s = max(approved_s, (clock_s // WEEK_S - WEEKS_KEPT + 1) * WEEK_S)
        return {
            "payments_1h": len(hour),
            "micro_1h": sum(each.is_micro for each in hour),
            "payments_24h": len(day),
            "micro_24h": sum(each.is_micro for each in day),
            "young_24h": sum(each.is_young for each in day),
            "first_24h": sum(each.first_kinds >> KIND & 1 for each in day),
            "cents_24h": sum(each.cents for each in day),
            "past_all": max(len(weeks) - len(day), 0),
            "past_payments": max(len(good) - len(good_day), 0),
            "past_micro": max(
                sum(each.is_micro for each in good) - sum(each.is_micro for each in good_day), 0
            ),
            "past_young": max(
                sum(each.is_young for each in good) - sum(each.is_young for each in good_day), 0
            ),
            "past_cents": max(sum(each.cents for each in good) - sum(each.cents for each in good_day), 0),
            "past_hours": max(day_begins_s - weeks_begin_s, 0) / HOUR_S,
        }

    def users(self, after_s: int, until_s: int, but: bytes) -> int:
        last: dict[bytes, int] = {}
        for each in self.payments:
            last[each.user] = max(last.get(each.user, 0), each.clock_s)
        kept = sorted((at, user) for user, at in last.items())[-MAX_USERS:]
        if len(kept) == MAX_USERS and kept[0][0] > after_s and kept[-1][0] > until_s:
            return MAX_USERS - 1  # later ones may have displaced some
        return sum(after_s < at <= until_s and user != but for at, user in kept)


def windows(entity: Entity, clock_s: int) -> dict[str, float]:
    hour, past = entity.last_hour(clock_s), entity.past(clock_s)
    return {
        "payments_1h": total(hour, PAYMENTS),
        "micro_1h": total(hour, MICRO),
        "payments_24h": total(past.day, PAYMENTS),
        "micro_24h": total(past.day, MICRO),
        "young_24h": total(past.day, YOUNG),
        "first_24h": total(past.day, FIRST),
        "cents_24h": total(past.day, CENTS),
        "past_all": past.payments(),
        "past_payments": past.total(PAYMENTS),
        "past_micro": past.total(MICRO),
        "past_young": past.total(YOUNG),
        "past_cents": past.total(CENTS),
        "past_hours": past.hours,
    }


def users_since(entity: Entity, after_s: int, until_s: int, but: bytes) -> int:
    [users] = entity.users_with(but, until_s, (until_s - after_s,))
    return users - 1


@given(histories, clocks)
def test_windows_count_what_all_payments_one_by_one_give(payments: list[Sighting], clock_s: int) -> None:
    counted = windows(entity_of(payments), clock_s)

    assert counted == Oracle(payments).windows(clock_s)


@given(histories, users, clocks, st.sampled_from([HOUR_S, 24 * HOUR_S, 30 * 24 * HOUR_S]))
def test_users_of_a_window_are_those_whose_last_payment_lies_in_it(
    payments: list[Sighting], but: bytes, clock_s: int, window_s: int
) -> None:
    counted = users_since(entity_of(payments), clock_s - window_s, clock_s, but)

    assert counted == Oracle(payments).users(clock_s - window_s, clock_s, but)


@given(histories, st.randoms())
def test_any_order_of_payments_gives_the_same_bytes(payments: list[Sighting], random: Random) -> None:
    shuffled = random.sample(payments, len(payments))

    assert to_bytes(entity_of(shuffled)) == to_bytes(entity_of(payments))


@given(histories)
def test_bytes_are_read_as_they_were_written_and_bounded(payments: list[Sighting]) -> None:
    written = to_bytes(entity_of(payments))

    assert to_bytes(from_bytes(written)) == written
    assert len(written) <= MAX_BYTES


@given(histories, sightings)
def test_a_payment_folds_the_same_into_what_was_read_from_bytes(
    payments: list[Sighting], last: Sighting
) -> None:
    entity = entity_of(payments)
    again = from_bytes(to_bytes(entity))

    assert entity.fold(last, KIND) == again.fold(last, KIND)
    assert to_bytes(entity) == to_bytes(again)


@pytest.mark.parametrize(
    ("seconds_before", "is_counted"),
    [(0, True), (12 * BUCKET_S, True), (12 * BUCKET_S + NOW_S % BUCKET_S, True), (13 * BUCKET_S, False)],
)
def test_an_hour_is_the_own_five_minutes_and_the_twelve_before(seconds_before: int, is_counted: bool) -> None:
    counted = windows(entity_of([seen(NOW_S - seconds_before)]), NOW_S)

    assert counted["payments_1h"] == int(is_counted)


@pytest.mark.parametrize(("hours_before", "is_counted"), [(0, True), (24, True), (25, False)])
def test_a_day_is_the_own_hour_and_the_24_before(hours_before: int, is_counted: bool) -> None:
    counted = windows(entity_of([seen(NOW_S - hours_before * HOUR_S)]), NOW_S)

    assert counted["payments_24h"] == int(is_counted)
    assert counted["past_payments"] == int(not is_counted)


@pytest.mark.parametrize(("weeks_before", "is_counted"), [(1, True), (5, True), (6, False)])
def test_the_past_ends_six_weeks_back(weeks_before: int, is_counted: bool) -> None:
    counted = windows(entity_of([seen(NOW_S - weeks_before * WEEK_S)]), NOW_S)

    assert counted["past_payments"] == int(is_counted)


def test_a_late_payment_counts_in_its_own_hour_and_day_but_not_after() -> None:
    entity = entity_of([seen(NOW_S), seen(NOW_S - 30 * 60)])

    assert windows(entity, NOW_S - 30 * 60)["payments_1h"] == 1
    assert windows(entity, NOW_S)["payments_1h"] == 2


def test_a_payment_far_ahead_empties_the_short_windows_alone() -> None:
    entity = entity_of([*[seen(NOW_S)] * 3, seen(NOW_S + 2 * 24 * HOUR_S)])

    counted = windows(entity, NOW_S)

    assert (counted["payments_1h"], counted["payments_24h"]) == (0, 0)
    assert counted["past_payments"] == 3 + (NOW_S // WEEK_S == (NOW_S + 2 * 24 * HOUR_S) // WEEK_S)


def test_a_user_who_pays_again_is_one_user_and_the_payer_is_left_out() -> None:
    entity = entity_of(
        [seen(NOW_S - 50), seen(NOW_S - 20), seen(NOW_S - 40, user(8)), seen(NOW_S - 30, user(9))]
    )

    assert users_since(entity, NOW_S - HOUR_S, NOW_S, but=USER) == 2
    assert users_since(entity, NOW_S - HOUR_S, NOW_S, but=user(10)) == 3


def test_a_window_of_more_than_32_users_has_32_and_payments_are_counted_on() -> None:
    entity = entity_of(seen(NOW_S + number, user(100 + number)) for number in range(80))

    assert users_since(entity, NOW_S - HOUR_S, NOW_S + 80, but=USER) == MAX_USERS == 32
    assert users_of(entity) == [user(number) for number in range(148, 180)]
    assert windows(entity, NOW_S + 80)["payments_24h"] == 80


def test_users_of_a_partition_that_is_ahead_do_not_hide_those_of_one_behind() -> None:
    behind = [seen(NOW_S + number, user(100 + number)) for number in range(20)]
    ahead = [seen(NOW_S + 60 + number, user(200 + number)) for number in range(MAX_USERS)]

    [users] = entity_of([*behind, *ahead]).users_with(USER, NOW_S + 30, (HOUR_S,))

    assert users == MAX_USERS


def test_a_user_who_was_displaced_does_not_return_with_an_older_payment() -> None:
    newer = [seen(NOW_S + number, user(100 + number)) for number in range(MAX_USERS)]
    entity = entity_of([seen(NOW_S), *newer, seen(NOW_S - 10)])

    assert USER not in users_of(entity)


def test_a_first_payment_of_its_week_makes_an_entity_active_and_one_that_is_too_old_does_not() -> None:
    entity = Entity()

    found = [entity.fold(seen(NOW_S + weeks * WEEK_S), KIND) for weeks in (0, 0, 1, 0, -3, -3, -5, 6, 1, 2)]

    assert found == [True, False, True, False, True, False, False, True, False, True]


def test_a_payment_that_was_stopped_counts_and_does_not_become_usual() -> None:
    """Neither in the weeks, nor as what the day takes from them, nor as the hours of the past."""
    honest = [seen(NOW_S - days * 24 * HOUR_S, cents=100) for days in (9, 8, 0)]
    blocked = [seen(NOW_S - days * 24 * HOUR_S, cents=9_000, approved=False) for days in (30, 9, 0, 0)]

    with_blocked, alone = entity_of([*honest, *blocked]), entity_of(honest)

    assert windows(with_blocked, NOW_S)["payments_24h"] == 3
    assert windows(with_blocked, NOW_S)["past_all"] == 4
    for name in ("past_payments", "past_micro", "past_young", "past_cents", "past_hours"):
        assert windows(with_blocked, NOW_S)[name] == windows(alone, NOW_S)[name]


def test_a_payment_that_was_stopped_makes_no_entity_active() -> None:
    entity = Entity()

    found = [entity.fold(seen(approved=approved), KIND) for approved in (False, True, False, True)]

    assert found == [False, True, False, False]


def test_first_payments_are_those_of_its_own_kind() -> None:
    entity = entity_of([seen(first=True), seen(first=False), seen()._replace(first_kinds=0b101111)])

    assert windows(entity, NOW_S)["first_24h"] == 1


def test_a_population_has_weeks_alone() -> None:
    population = Entity()

    population.fold_population(seen(cents=5), 1)
    population.fold_population(seen(cents=6), 0)

    assert COUNTS.unpack(population.weeks) == (NOW_S // WEEK_S, 2, 2, 2, 1, 11.0)
    assert (population.buckets, population.hours, population.seen) == (b"", b"", b"")


def _valid() -> bytes:
    return to_bytes(entity_of([seen(), seen(NOW_S - 4_000, user(8))]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: b"", r"^entity state begins with b''$"),
        (lambda data: b"\x01" + data[1:], r"^entity state begins with b'\\x01"),
        (lambda data: data[:11], "^entity state begins with"),
        (lambda data: data[:-1], "^entity state of 159 bytes, must have 160$"),
        (lambda data: data + b"\0", "^entity state of 161 bytes, must have 160$"),
        (lambda data: data[:5] + b"\x03" + data[6:], "^entity state of 160 bytes, must have 176$"),
        (
            lambda data: data[:4] + b"\x1a" + data[5:] + bytes(28 * 26),
            "^entity state of 1 buckets, 2 hours, 1 weeks and 26 hours of stopped payments$",
        ),
        (
            lambda data: data[:5] + b"\x21" + data[6:] + bytes(16 * 31),
            "^entity state of 33 users, at most 32$",
        ),
    ],
)
def test_bytes_of_another_form_are_refused(change: Callable[[bytes], bytes], message: str) -> None:
    with pytest.raises(EntityFormatError, match=message):
        from_bytes(change(_valid()))
