"""The map draws each place once and each leg with its distance and speed, over coasts that are read from TopoJSON."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from console.world_map import MAX_PLACES, WIDTH, Stop, read_land, stop_of, world_map
from contract.transaction import Location
from tests.support.console_world import LAND, NOW
from tests.support.payments import make_scored, make_transaction

if TYPE_CHECKING:
    from pathlib import Path

BERN = Stop(46.95, 7.45, "Bern, CH, 1 Mar 2026, 10:00", NOW - timedelta(hours=2))
PARIS = Stop(48.85, 2.35, "Paris, FR, 1 Mar 2026, 11:00", NOW - timedelta(hours=1))
ROME = Stop(41.9, 12.5, "Rome, IT, 1 Mar 2026, 11:10", NOW - timedelta(minutes=50))


def test_coasts_are_decoded_from_differences_and_reversed_arcs(tmp_path: Path) -> None:
    file = tmp_path / "land.json"
    topology: dict[str, Any] = {
        "transform": {"scale": [0.5, 0.25], "translate": [-10, 5]},
        "arcs": [[[0, 0], [4, 0], [0, 4]], [[0, 0], [0, 4], [4, 0]]],
        "objects": {"land": {"geometries": [{"type": "MultiPolygon", "arcs": [[[0, ~1]]]}]}},
    }
    file.write_text(json.dumps(topology))

    (ring,) = read_land(file)

    assert ring == ((-10.0, 5.0), (-8.0, 5.0), (-8.0, 6.0), (-10.0, 6.0), (-10.0, 5.0))


def test_legs_say_distance_and_speed_and_mark_what_no_airliner_flies() -> None:
    drawn = world_map([BERN, PARIS, ROME], LAND)

    assert drawn is not None
    assert [(leg.words, leg.is_fast) for leg in drawn.legs] == [
        ("Bern, CH, 1 Mar 2026, 10:00 to Paris, FR, 1 Mar 2026, 11:00: 435 km in 1 hour, 385 km/h", False),
        (
            "Paris, FR, 1 Mar 2026, 11:00 to Rome, IT, 1 Mar 2026, 11:10: 1,105 km in 10 minutes, 6,332 km/h",
            True,
        ),
    ]
    assert [(dot.number, dot.is_last) for dot in drawn.dots] == [(1, False), (2, False), (3, True)]


def test_places_lie_inside_the_picture_north_above_south_and_west_left_of_east() -> None:
    drawn = world_map([BERN, PARIS, ROME], LAND)

    assert drawn is not None
    bern, paris, rome = drawn.dots
    assert all(0 < dot.x < WIDTH and 0 < dot.y < drawn.height for dot in drawn.dots)
    assert paris.x < bern.x < rome.x
    assert paris.y < bern.y < rome.y
    assert drawn.land.startswith("M")
    assert drawn.land.endswith("Z")


def test_coasts_that_are_not_seen_are_not_drawn() -> None:
    drawn = world_map([BERN, ROME], [((-60.0, -50.0), (-55.0, -50.0), (-55.0, -40.0))])

    assert drawn is not None
    assert drawn.land == ""


def test_steps_within_a_town_are_no_legs() -> None:
    near = Stop(46.96, 7.46, "Bern, CH, 1 Mar 2026, 10:05", NOW - timedelta(minutes=115))

    drawn = world_map([BERN, near, ROME], LAND)

    assert drawn is not None
    assert (len(drawn.dots), len(drawn.legs)) == (3, 1)


def test_one_place_makes_no_map() -> None:
    assert world_map([BERN, BERN], LAND) is None
    assert world_map([], LAND) is None


def test_only_the_newest_places_are_drawn() -> None:
    drawn = world_map([ROME] * MAX_PLACES + [BERN, PARIS], LAND)

    assert drawn is not None
    assert len(drawn.dots) == MAX_PLACES
    assert drawn.dots[-1].words == PARIS.words


def test_a_payment_without_coordinates_is_no_stop() -> None:
    for place in (None, "Paris, FR", Location(country="FR")):
        assert stop_of(make_scored(make_transaction(location=place)), "now", "") is None
    row = make_scored()
    assert stop_of(row, "now", "Paris") == Stop(48.85, 2.35, "Paris, now", row.occurred_at)


def test_a_leg_is_measured_between_the_two_places_that_it_shows() -> None:
    """A payment without a place lies between them; what its own features say is of another leg."""
    later = Stop(41.9, 12.5, "Rome, IT, 10 Mar 2026, 11:00", NOW + timedelta(days=9))

    drawn = world_map([PARIS, later], LAND)

    assert drawn is not None
    (leg,) = drawn.legs
    assert leg.words.endswith(": 1,105 km in 9 days")
