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
"""Entities that are drawn: those with the most other cases."""
MAX_CASES: Final = 24
"""Other cases that are drawn."""
MAX_COUNTED: Final = 50
"""Other cases of one entity that are counted."""

KINDS: Final = {"c": "card", "d": "device", "i": "IP address", "m": "merchant", "p": "payee", "n": "network"}

_INNER: Final = 0.22
_OUTER: Final = 0.43


class EntityNode(msgspec.Struct, frozen=True):
    """An entity of the case."""

    number: int
    """Its place among the case's entities; its page is named by it."""
    kind: str
    value: str
    """As far as it may be seen."""
    others: int
    """Other cases, :data:`MAX_COUNTED` at most."""
    count: str
    """The same in words."""
    x: float
    y: float
    is_drawn: bool


class CaseNode(msgspec.Struct, frozen=True):
    """Another case."""

    case_id: str
    words: str
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
    case_id: str, links: Mapping[str, Sequence[str]], values: Mapping[str, str], words: Mapping[str, str]
) -> LinkGraph:
    """Draw what a case shares.

    Parameters
    ----------
    case_id : str
        The case in the middle.
    links : Mapping[str, Sequence[str]]
        Entity name to the ids of cases that it is in, in the order of the case's entities.
    values : Mapping[str, str]
        Entity name to its value, as far as it may be seen.
    words : Mapping[str, str]
        Id of another case to what is said of it; a case that is not kept any more has none.
    """
    others = {name: [each for each in cases if each != case_id] for name, cases in links.items()}
    numbers = {name: number for number, name in enumerate(links)}
    ranked = sorted(others, key=lambda name: (-len(others[name]), numbers[name]))
    drawn = [name for name in ranked if others[name]][:MAX_ENTITIES]
    shown_cases = list(dict.fromkeys(each for name in drawn for each in others[name] if each in words))
    shown_cases = shown_cases[:MAX_CASES]
    places = {name: _place(number, len(drawn), _INNER) for number, name in enumerate(drawn)}
    case_places = {each: _place(number, len(shown_cases), _OUTER) for number, each in enumerate(shown_cases)}
    middle = (SIZE / 2, SIZE / 2)
    edges = [Edge(*middle, *places[name]) for name in drawn]
    edges += [
        Edge(*places[name], *case_places[each])
        for name in drawn
        for each in others[name]
        if each in case_places
    ]
    entities = tuple(
        _entity(numbers[name], name, values.get(name, ""), len(others[name]), places.get(name))
        for name in ranked
    )
    distinct = {each for cases in others.values() for each in cases}
    return LinkGraph(
        summary=_summary(len(distinct), len([name for name in ranked if others[name]]), len(shown_cases)),
        entities=entities,
        cases=tuple(CaseNode(each, words[each], *case_places[each]) for each in shown_cases),
        edges=tuple(edges),
    )


def kind_of(name: str) -> str:
    """What an entity is, by its name."""
    return KINDS.get(name[:1], "entity")


def _entity(number: int, name: str, value: str, others: int, place: tuple[float, float] | None) -> EntityNode:
    many = f"{MAX_COUNTED} or more" if others >= MAX_COUNTED else str(others)
    x, y = place or (0.0, 0.0)
    return EntityNode(
        number=number,
        kind=kind_of(name),
        value=value,
        others=others,
        count=f"{many} other case{'' if others == 1 else 's'}" if others else "no other case",
        x=x,
        y=y,
        is_drawn=place is not None,
    )


def _summary(cases: int, entities: int, drawn: int) -> str:
    if not cases:
        return "No other case has the same card, device, address, merchant or payee."
    text = f"{cases} other case{'' if cases == 1 else 's'} by {entities} shared value{'' if entities == 1 else 's'}"
    return f"{text}; {drawn} are drawn." if drawn < cases else f"{text}."


def _place(number: int, count: int, radius: float) -> tuple[float, float]:
    angle = 2 * pi * number / max(count, 1) - pi / 2
    return round(SIZE * (0.5 + radius * cos(angle)), 1), round(SIZE * (0.5 + radius * sin(angle)), 1)
