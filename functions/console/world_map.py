"""Where a user paid, on a map: the legs between one place and the next, with distance and speed. Pure but for reading the land's file."""

from __future__ import annotations

import itertools
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from console.views import duration
from contract.clock import EPOCH, MILLISECOND
from contract.transaction import Location
from engine.geo import Fix, distance_km, implied_speed_kmh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.scored import ScoredTransaction

LAND_FILE: Final = Path(__file__).parent / "static" / "npm" / "world-atlas" / "land-110m.json"
"""The coasts in the zip; its build takes them from the npm package world-atlas."""

WIDTH: Final = 720
"""Units of the picture; its height follows from what it shows."""

MAX_PLACES: Final = 30
"""Places that are drawn, the newest."""

_LEAST_SPAN: Final = 24.0
"""Degrees that the map shows at least, so that people recognise where it is."""
_MARGIN: Final = 0.2
"""Of the span, around the places."""
_NEAR_KM: Final = 50.0
"""Shorter legs are not drawn: they are the same town."""
_SHOWN_KMH: Final = 100.0
"""A lower speed is not shown, since it says nothing: whoever is elsewhere days later has had time."""
_FAST_KMH: Final = 900.0
"""Faster than an airliner."""

Ring = tuple[tuple[float, float], ...]
"""Longitude and latitude of a coast's points, degrees."""


class Leg(msgspec.Struct, frozen=True):
    """From one payment's place to the next one's."""

    x1: float
    y1: float
    x2: float
    y2: float
    is_fast: bool
    words: str
    """Places, distance, time, and the speed where it says something."""


class Dot(msgspec.Struct, frozen=True):
    """A place; the number is its payment's, in order of time."""

    x: float
    y: float
    number: int
    is_last: bool
    words: str


class WorldMap(msgspec.Struct, frozen=True):
    """The picture, and the same in words."""

    width: int
    height: int
    land: str
    """Coasts as an SVG path."""
    legs: tuple[Leg, ...]
    dots: tuple[Dot, ...]


class Stop(msgspec.Struct, frozen=True):
    """A payment with coordinates."""

    latitude: float
    longitude: float
    words: str
    at: datetime
    """The payment's time, UTC."""

    @property
    def fix(self) -> Fix:
        """The place and time, as the engine measures between them."""
        return Fix(self.latitude, self.longitude, round((self.at - EPOCH) / MILLISECOND))


def read_land(file: Path) -> tuple[Ring, ...]:
    """Read the coasts of a file of world-atlas: TopoJSON with an object ``land``.

    Its arcs are lists of differences between whole numbers; a scale and an offset make degrees of their sums. A ring joins arcs; a
    negative number is an arc in the other direction.
    """
    document = json.loads(file.read_bytes())
    scale_x, scale_y = document["transform"]["scale"]
    move_x, move_y = document["transform"]["translate"]
    arcs = []
    for differences in document["arcs"]:
        x = y = 0
        points = []
        for step_x, step_y in differences:
            x, y = x + step_x, y + step_y
            points.append((x * scale_x + move_x, y * scale_y + move_y))
        arcs.append(points)
    rings: list[Ring] = []
    for geometry in document["objects"]["land"]["geometries"]:
        polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        for polygon in polygons:
            rings += [_ring(numbers, arcs) for numbers in polygon]
    return tuple(rings)


def stop_of(row: ScoredTransaction, at: str, place: str) -> Stop | None:
    """Take a payment's place; None where it has no coordinates."""
    location = row.transaction.location
    if not isinstance(location, Location) or location.latitude is None or location.longitude is None:
        return None
    return Stop(
        latitude=location.latitude,
        longitude=location.longitude,
        words=f"{place or 'unnamed place'}, {at}",
        at=row.occurred_at,
    )


def world_map(stops: Sequence[Stop], land: Sequence[Ring]) -> WorldMap | None:
    """Draw places in the order of time; None where fewer than two are known, or all are the same.

    Parameters
    ----------
    stops : Sequence[Stop]
        Oldest first; the newest :data:`MAX_PLACES` are drawn.
    land : Sequence[Ring]
        Of :func:`read_land`.
    """
    shown = stops[-MAX_PLACES:]
    if len({(round(stop.latitude, 1), round(stop.longitude, 1)) for stop in shown}) < 2:
        return None
    west, east = _span([stop.longitude for stop in shown], 180.0)
    south, north = _span([stop.latitude for stop in shown], 90.0)
    scale = WIDTH / (east - west)

    def point(longitude: float, latitude: float) -> tuple[float, float]:
        return round((longitude - west) * scale, 1), round((north - latitude) * scale, 1)

    places = [point(stop.longitude, stop.latitude) for stop in shown]
    legs = [
        _leg(before, after, places[number], places[number + 1])
        for number, (before, after) in enumerate(itertools.pairwise(shown))
        if distance_km(before.fix, after.fix) > _NEAR_KM
    ]
    dots = [
        Dot(*places[number], number + 1, number == len(shown) - 1, stop.words)
        for number, stop in enumerate(shown)
    ]
    visible = [ring for ring in land if _is_seen(ring, west, east, south, north)]
    path = "".join(
        "M" + "L".join(f"{x:g},{y:g}" for x, y in (point(*each) for each in ring)) + "Z" for ring in visible
    )
    return WorldMap(WIDTH, round((north - south) * scale), path, tuple(legs), tuple(dots))


def _leg(before: Stop, after: Stop, start: tuple[float, float], end: tuple[float, float]) -> Leg:
    """Join two places that are shown, by their distance and by the speed that explains both."""
    apart_km = distance_km(before.fix, after.fix)
    speed_kmh = implied_speed_kmh(before.fix, after.fix, apart_km)
    speed = f", {speed_kmh:,.0f} km/h" if speed_kmh >= _SHOWN_KMH else ""
    words = f"{before.words} to {after.words}: {apart_km:,.0f} km in {duration(after.at - before.at)}{speed}"
    return Leg(*start, *end, speed_kmh >= _FAST_KMH, words)


def _span(values: Sequence[float], end: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = max(_MARGIN * (high - low), (_LEAST_SPAN - (high - low)) / 2)
    return max(-end, low - margin), min(end, high + margin)


def _is_seen(ring: Ring, west: float, east: float, south: float, north: float) -> bool:
    longitudes, latitudes = [x for x, _ in ring], [y for _, y in ring]
    return not (
        max(longitudes) < west or min(longitudes) > east or max(latitudes) < south or min(latitudes) > north
    )


def _ring(numbers: Sequence[int], arcs: Sequence[Sequence[tuple[float, float]]]) -> Ring:
    points: list[tuple[float, float]] = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else list(reversed(arcs[~number]))
        points += arc[1:] if points else arc  # an arc begins where the one before ended
    return tuple((round(x, 2), round(y, 2)) for x, y in points)
