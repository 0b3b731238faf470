"""The entities at hand: what is usual for each kind, since when all is known, and which windows are complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.entity_ids import EntityIds, EntityKind
from engine.entities.book import NO_ENTITIES, EntityBook, Usual
from engine.entities.kinds import POPULATION_IDS
from engine.entities.levels import HOUR_S, PAYMENTS, WEEK_S, total
from engine.entities.state import Sighting, from_bytes
from tests.support.sightings import user

if TYPE_CHECKING:
    from random import Random

NOW_S = 2_950 * WEEK_S
"""The beginning of a week."""
DAY_S = 24 * HOUR_S
NOTHING = Usual(0.0, 0.0, 0.0, 0.0)


def ids_of(**values: bytes) -> EntityIds:
    return tuple(values.get(kind.name.lower()) for kind in EntityKind)


def merchant(name: int) -> EntityIds:
    return ids_of(merchant=b"m%08d" % name)


def seen(
    clock_s: int,
    number: int = 1,
    *,
    micro: bool = False,
    young: bool = False,
    cents: int = 100,
    approved: bool = True,
) -> Sighting:
    return Sighting(clock_s, user(number), micro, young, 0, cents, approved)


def usual_merchant(book: EntityBook, clock_s: int) -> Usual:
    book.settle()
    return book.read(merchant(1), clock_s).usual[EntityKind.MERCHANT]


def test_nothing_is_usual_before_the_first_payment() -> None:
    reading = EntityBook().read(merchant(1), NOW_S)

    assert reading.usual == (NOTHING,) * len(EntityKind)
    assert reading.warming_up == "card device ip network merchant payee"
    assert reading.partial == ""


def test_what_is_usual_is_the_rate_of_one_of_the_entities_that_paid_in_the_week() -> None:
    """Four merchants in ten hours, 20 payments, four of them micro amounts, five of young accounts."""
    book = EntityBook()
    for number in range(20):
        book.fold(merchant(number % 4), seen(NOW_S, number, micro=number < 4, young=number < 5, cents=250))

    usual = usual_merchant(book, NOW_S + 10 * HOUR_S)

    assert usual == Usual(20 / (4 * 10), 4 / (4 * 10), 5 / 20, 250.0)


def test_hours_of_several_weeks_count_each_with_its_own_merchants() -> None:
    book = EntityBook()
    for number in range(6):
        book.fold(merchant(number % 2), seen(NOW_S, number))
    for number in range(9):
        book.fold(merchant(number % 3), seen(NOW_S + WEEK_S, number))

    usual = usual_merchant(book, NOW_S + WEEK_S + 5 * HOUR_S)

    assert usual.payments_per_hour == pytest.approx(15 / (2 * 168 + 3 * 5))


def test_a_kind_without_payments_has_nothing_usual_beside_one_with_some() -> None:
    book = EntityBook()
    book.fold(merchant(1), seen(NOW_S))

    book.settle()
    usual = book.read(merchant(1), NOW_S + HOUR_S).usual

    assert [each != NOTHING for each in usual] == [kind is EntityKind.MERCHANT for kind in EntityKind]


@pytest.mark.parametrize(
    ("days", "warming_up"), [(13.9, "device ip network merchant payee"), (14.1, "device ip network payee")]
)
def test_each_kind_warms_up_from_its_own_first_payment(days: float, warming_up: str) -> None:
    """A feed may begin to name devices, or anything else, after years."""
    book = EntityBook()
    book.fold(merchant(1), seen(NOW_S))
    book.fold(ids_of(card=b"c00000000"), seen(NOW_S - 3 * DAY_S))
    book.fold(ids_of(payee=b"p00000000"), seen(NOW_S - 90 * DAY_S, approved=False))
    book.settle()

    reading = book.read(merchant(2), NOW_S + int(days * DAY_S))

    assert reading.warming_up == warming_up


def test_payments_that_were_stopped_do_not_change_what_is_usual() -> None:
    alone, attacked = EntityBook(), EntityBook()
    for book in (alone, attacked):
        for number in range(20):
            book.fold(merchant(number % 4), seen(NOW_S + number * HOUR_S))
    for _ in range(500):
        attacked.fold(merchant(1), seen(NOW_S + HOUR_S, micro=True, young=True, cents=9_999, approved=False))

    assert usual_merchant(attacked, NOW_S + 30 * HOUR_S) == usual_merchant(alone, NOW_S + 30 * HOUR_S)


def test_a_payment_does_not_change_what_is_usual_in_its_hour_and_does_in_the_next() -> None:
    book = EntityBook()
    book.fold(merchant(1), seen(NOW_S))
    before = usual_merchant(book, NOW_S + 5 * HOUR_S)
    for _ in range(50):
        book.fold(merchant(1), seen(NOW_S + 5 * HOUR_S))

    assert usual_merchant(book, NOW_S + 5 * HOUR_S + 10) == before
    assert usual_merchant(book, NOW_S + 6 * HOUR_S).payments_per_hour == pytest.approx(51 / 6)


def test_what_is_usual_in_a_batch_is_what_was_stored_before_it_even_over_hours() -> None:
    """To count the batch as well, all its entities would have to be folded."""
    stored = EntityBook()
    stored.fold(merchant(1), seen(NOW_S))
    book = EntityBook(stored.packed())
    for _ in range(50):
        book.read(merchant(1), NOW_S + HOUR_S)
        book.fold(merchant(1), seen(NOW_S + HOUR_S))

    usual = book.read(merchant(1), NOW_S + 2 * HOUR_S).usual[EntityKind.MERCHANT]

    assert usual.payments_per_hour == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("complete_for_s", "partial"),
    [
        (0, "none"),
        (HOUR_S - 1, "none"),
        (HOUR_S, "1h"),
        (DAY_S - 1, "1h"),
        (DAY_S, "24h"),
        (30 * DAY_S - 1, "24h"),
        (30 * DAY_S, ""),
        (-5, "none"),
    ],
)
def test_partial_names_the_longest_window_that_is_complete(complete_for_s: int, partial: str) -> None:
    book = EntityBook({}, NOW_S - complete_for_s)

    assert book.read(merchant(1), NOW_S).partial == partial


def test_state_that_is_not_at_hand_is_partial_and_empty() -> None:
    assert NO_ENTITIES.partial == "none"
    assert NO_ENTITIES.entities == (None,) * len(EntityKind)


def test_an_entity_that_the_payment_does_not_name_is_none_and_one_that_is_not_known_is_empty() -> None:
    reading = EntityBook().read(merchant(1), NOW_S)

    named = reading.entities[EntityKind.MERCHANT]
    assert named is not None
    assert not named.weeks
    assert [entity is None for entity in reading.entities].count(True) == len(EntityKind) - 1


@pytest.mark.parametrize("value", [b"", b"\x02" + bytes(11), b"something else"])
def test_state_that_cannot_be_read_counts_as_missing(value: bytes) -> None:
    book = EntityBook({b"m%08d" % 1: value})

    book.fold(merchant(1), seen(NOW_S))

    assert total(from_bytes(book.packed()[b"m%08d" % 1]).last_hour(NOW_S), PAYMENTS) == 1


def test_what_was_only_read_is_not_packed() -> None:
    book = EntityBook()
    book.read(merchant(1), NOW_S)

    assert book.packed() == {}


payments = st.lists(
    st.tuples(
        st.tuples(
            *[
                st.none() | st.sampled_from([letter + bytes(8), letter + b"12345678"])
                for letter in (b"c", b"d", b"i", b"n", b"m", b"p")
            ]
        ),
        st.builds(
            Sighting,
            st.integers(NOW_S - 8 * WEEK_S, NOW_S + 8 * WEEK_S),
            st.integers(0, 5).map(user),
            st.booleans(),
            st.booleans(),
            st.integers(0, 63),
            st.integers(0, 10**12),
            st.booleans(),
        ),
    ),
    max_size=40,
)


@given(payments, st.randoms())
def test_any_order_of_payments_gives_the_same_state_of_all(
    folded: list[tuple[EntityIds, Sighting]], random: Random
) -> None:
    """Populations too, which count how many entities became active."""
    shuffled = random.sample(folded, len(folded))
    books = EntityBook(), EntityBook()
    for book, order in zip(books, (folded, shuffled), strict=True):
        for ids, sighting in order:
            book.fold(ids, sighting)

    assert books[0].packed() == books[1].packed()


@given(payments)
def test_books_that_are_packed_in_between_come_to_the_same(folded: list[tuple[EntityIds, Sighting]]) -> None:
    whole, packed = EntityBook(), EntityBook()
    for ids, sighting in folded:
        whole.fold(ids, sighting)
        packed.fold(ids, sighting)
        packed = EntityBook(packed.packed())

    assert packed.packed() == whole.packed()
    assert {*packed.packed()} & {*POPULATION_IDS} == {
        POPULATION_IDS[kind] for ids, _ in folded for kind, each in enumerate(ids) if each is not None
    }
