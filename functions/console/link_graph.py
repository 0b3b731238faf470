"""What a case shares with other cases, as a graph: the case, its cards, devices, addresses, merchants and payees, and the cases of these. Pure."""

from __future__ import annotations

from math import cos, pi, sin
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIZE: Final = 560
"""Units of the picture, both ways."""

MAX_ENTITIES: Final = 12
"""Entities that are drawn: those that say most."""
MAX_CASES: Final = 24
"""Other cases that are drawn."""

KINDS: Final = {"c": "card", "d": "device", "i": "IP address", "m": "merchant", "p": "payee", "n": "network"}

_INNER: Final = 0.22
_OUTER: Final = 0.43


class Shared(msgspec.Struct, frozen=True):
    """Other cases of an entity."""

    case_ids: tuple[str, ...]
    """The newest."""
    count: int
    has_more: bool = False
    """Whether there are more than were counted."""


NOT_SHARED: Final = Shared((), 0)


class EntityNode(msgspec.Struct, frozen=True):
    """An entity of the case."""

    number: int
    """Its place among the case's entities; its page is named by it."""
    kind: str
    value: str
    """As far as it may be seen."""
    count: str
    """Other cases, in words."""
    x: float
    y: float
    is_drawn: bool


class CaseNode(msgspec.Struct, frozen=True):
    """Another case."""

    case_id: str
    words: str
    shares: str
    """What it has in common with this case."""
    x: float
    y: float


class Edge(msgspec.Struct, frozen=True):
    """A line of the graph."""

    x1: float
    y1: float
    x2: float
    y2: float


class LinkGraph(msgspec.Struct, frozen=True):
    """The picture, and the same as a list."""

    summary: str
    entities: tuple[EntityNode, ...]
    """All of them, most shared first."""
    cases: tuple[CaseNode, ...]
    edges: tuple[Edge, ...]


def link_graph(
    entities: Sequence[str], shared: Mapping[str, Shared], values: Mapping[str, str], words: Mapping[str, str]
) -> LinkGraph:
    """Draw what a case shares.

    Parameters
    ----------
    entities : Sequence[str]
        Names of the case's entities.
    shared : Mapping[str, Shared]
        Those that other cases have met too, in the order in which they say most.
    values : Mapping[str, str]
        Entity name to its value, as far as it may be seen.
    words : Mapping[str, str]
        Id of another case to what is said of it.
    """
    numbers = {name: number for number, name in enumerate(entities)}
    drawn = [name for name in shared if shared[name].case_ids][:MAX_ENTITIES]
    shown = list(dict.fromkeys(each for name in drawn for each in shared[name].case_ids))[:MAX_CASES]
    places = {name: _place(number, len(drawn), _INNER) for number, name in enumerate(drawn)}
    case_places = {each: _place(number, len(shown), _OUTER) for number, each in enumerate(shown)}
    middle = (SIZE / 2, SIZE / 2)
    edges = [Edge(*middle, *places[name]) for name in drawn]
    edges += [
        Edge(*places[name], *case_places[each])
        for name in drawn
        for each in shared[name].case_ids
        if each in case_places
    ]
    ranked = [*shared, *(name for name in entities if name not in shared)]
    return LinkGraph(
        summary=_summary(len(shared), len(shown)),
        entities=tuple(
            _entity(numbers[name], name, values.get(name, ""), shared.get(name, NOT_SHARED), places.get(name))
            for name in ranked
        ),
        cases=tuple(
            CaseNode(each, words[each], _shares(each, shared, values), *case_places[each]) for each in shown
        ),
        edges=tuple(edges),
    )


def kind_of(name: str) -> str:
    """What an entity is, by its name."""
    return KINDS.get(name[:1], "entity")


def _entity(
    number: int, name: str, value: str, shared: Shared, place: tuple[float, float] | None
) -> EntityNode:
    many = f"more than {shared.count}" if shared.has_more else str(shared.count)
    x, y = place or (0.0, 0.0)
    return EntityNode(
        number=number,
        kind=kind_of(name),
        value=value,
        count=f"{many} other case{'' if shared.count == 1 else 's'}" if shared.count else "no other case",
        x=x,
        y=y,
        is_drawn=place is not None,
    )


def _shares(case_id: str, shared: Mapping[str, Shared], values: Mapping[str, str]) -> str:
    """Name the values that another case has too: as far as they were read, those that few have first."""
    both = (name for name, each in shared.items() if case_id in each.case_ids)
    return ", ".join(f"{kind_of(name)} {values.get(name, '')}".rstrip() for name in both)


def _summary(entities: int, drawn: int) -> str:
    if not entities:
        return "No other case has the same card, device, address, merchant or payee."
    values = f"{entities} of its values {'is' if entities == 1 else 'are'} in other cases too"
    return f"{values}; the newest {drawn} of these cases are drawn." if drawn != 1 else f"{values}."


def _place(number: int, count: int, radius: float) -> tuple[float, float]:
    angle = 2 * pi * number / max(count, 1) - pi / 2
    return round(SIZE * (0.5 + radius * cos(angle)), 1), round(SIZE * (0.5 + radius * sin(angle)), 1)
