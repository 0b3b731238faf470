"""Entities that are packed are those that were never packed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from engine.entities.state import Sighting
from engine.features.entities import compute
from lab.backtest.entities import Entities
from tests.support.entity_store_contract import NOW_S
from tests.support.sightings import user

if TYPE_CHECKING:
    from contract.entity_ids import EntityIds

ids = st.tuples(
    *[
        st.none() | st.sampled_from([letter + bytes(8), letter + b"12345678"])
        for letter in (b"c", b"d", b"i", b"n", b"m", b"p")
    ]
)
sightings = st.builds(
    Sighting,
    st.integers(NOW_S - 90_000, NOW_S + 90_000),
    st.integers(0, 5).map(user),
    st.booleans(),
    st.booleans(),
    st.integers(0, 63),
    st.integers(0, 10**6),
    st.booleans(),
)


@given(st.lists(st.tuples(ids, sightings), max_size=30), st.integers(1, 4))
def test_packed_entities_say_what_those_say_that_were_never_packed(
    payments: list[tuple[EntityIds, Sighting]], max_unpacked: int
) -> None:
    few, all_of_them = Entities(max_unpacked), Entities()
    for touched, sighting in payments:
        for entities in (few, all_of_them):
            entities.fold(touched, sighting)

    for touched, sighting in payments:
        # A day on, so that nothing was asked for within the same hour before.
        clock_s = sighting.clock_s + 86_400
        one, other = (
            compute(entities.read(touched, clock_s), sighting._replace(clock_s=clock_s))
            for entities in (few, all_of_them)
        )
        assert one == other
