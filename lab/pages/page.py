"""What a report's page holds: sections of text, tables and plots, every value as people read it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from lab.pages.drawing import Drawing

if TYPE_CHECKING:
    from collections.abc import Iterable


class Column(msgspec.Struct, frozen=True):
    """A column of a table."""

    name: str
    is_figure: bool = False
    """Figures are aligned to the right."""


class Table(msgspec.Struct, frozen=True, tag=True):
    """A table; the first cell of each row names the row."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    """Each as long as ``columns``."""
    note: str = ""
    """Below the table: what a column means."""


class Text(msgspec.Struct, frozen=True, tag=True):
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str
    is_grave: bool = False
    """Something is wrong, and somebody should act."""


class Listing(msgspec.Struct, frozen=True, tag=True):
    """Items one below the other."""

    kind: ClassVar[str] = "listing"
    title: str
    items: tuple[str, ...]


class Plot(msgspec.Struct, frozen=True, tag=True):
    """A drawing with its alternative text and its caption."""

    kind: ClassVar[str] = "plot"
    drawing: Drawing
    alternative: str
    """What it shows, for who cannot see it; names where its figures are in words."""
    caption: str


class Plots(msgspec.Struct, frozen=True, tag=True):
    """Small plots side by side."""

    kind: ClassVar[str] = "plots"
    plots: tuple[Plot, ...]


class Code(msgspec.Struct, frozen=True, tag=True):
    """Text of a file or of a command, to be copied."""

    kind: ClassVar[str] = "code"
    caption: str
    text: str


Block = Table | Text | Listing | Plot | Plots | Code


class Fact(msgspec.Struct, frozen=True):
    """One figure of the head of a page, with its name."""

    name: str
    value: str


class Section(msgspec.Struct, frozen=True):
    """Blocks below a title."""

    title: str
    blocks: tuple[Block, ...]


class Page(msgspec.Struct, frozen=True):
    """A page: the question that it answers, the answer, and what it rests on."""

    title: str
    answer: str
    """One or two sentences."""
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    made_by: str
    """The command, and what it read."""


PAGE_SUFFIX: Final = ".page.json"
"""Of the file of a page beside that of its text, where a program elsewhere makes HTML of it."""

_DECODER: Final = msgspec.json.Decoder(Page)


def to_json(page: Page) -> bytes:
    """Write a page for a program that makes HTML of it, elsewhere."""
    return msgspec.json.encode(page)


def from_json(data: bytes) -> Page:
    """Read what :func:`to_json` wrote.

    Raises
    ------
    msgspec.DecodeError
        Where it is no page.
    """
    return _DECODER.decode(data)


def words(*names: str) -> tuple[Column, ...]:
    """Columns of words."""
    return tuple(Column(name) for name in names)


def figures(*names: str) -> tuple[Column, ...]:
    """Columns of figures."""
    return tuple(Column(name, is_figure=True) for name in names)


def table(caption: str, columns: Iterable[Column], rows: Iterable[Iterable[str]], note: str = "") -> Table:
    """Make a table.

    Raises
    ------
    ValueError
        Where a row is not as long as the columns.
    """
    head, body = tuple(columns), tuple(tuple(row) for row in rows)
    for number, row in enumerate(body, 1):
        if len(row) != len(head):
            raise ValueError(f"table {caption!r}, row {number}: {len(row)} cells for {len(head)} columns")
    return Table(caption, head, body, note)


def sections(*made: Section | None) -> tuple[Section, ...]:
    """Leave out what there is nothing to say about: None, and sections without blocks."""
    return tuple(each for each in made if each is not None and each.blocks)
