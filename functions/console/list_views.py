"""View models of lists: entries with expiry and note, what waits to be added, who added what, and lines that somebody pastes. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from common.sanitizing import printable
from console.difference_views import shown_value
from console.views import counted, shown_time
from contract.ruleset_change import MAX_LIST_ENTRIES, ChangeKind, ChangeState, ListEntry
from contract.text import MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contract.authoring import Entry, ListOutline
    from contract.ruleset_change import RulesetChange

MAX_SHOWN: Final = 200
"""Entries of a list that a page shows, the newest in the document."""

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class EntryRow(msgspec.Struct, frozen=True):
    """An entry of a list."""

    number: int
    """Its place in the list."""
    value: str
    until: str
    is_expired: bool
    note: str
    added: str
    """By whom and when, where that was done here."""
    change_id: str
    """The change that added it; empty where none is known."""


class ListView(msgspec.Struct, frozen=True):
    """One list."""

    name: str
    field: str
    description: str
    summary: str
    entries: tuple[EntryRow, ...]
    waiting: int
    """Entries that wait for another person's approval."""
    is_cut: bool


class ListsView(msgspec.Struct, frozen=True):
    """The page."""

    summary: str
    lists: tuple[ListView, ...]
    most: int


class Pasted(msgspec.Struct, frozen=True):
    """Lines that somebody has pasted, read."""

    entries: tuple[ListEntry, ...]
    problems: tuple[str, ...]
    """One sentence for each line that cannot be used, with its number; never with its value."""


def lists_view(
    lists: Sequence[ListOutline],
    changes: Iterable[RulesetChange],
    names: Mapping[str, str],
    now: datetime,
) -> ListsView:
    """Show the lists of the active ruleset.

    Parameters
    ----------
    lists : Sequence[ListOutline]
        As the document has them.
    changes : Iterable[RulesetChange]
        What was proposed and done, the newest first.
    names : Mapping[str, str]
        What people are called.
    now : datetime
        The clock, UTC.
    """
    added: dict[tuple[str, str], RulesetChange] = {}
    waiting: dict[str, int] = {}
    for change in changes:
        for entry in change.list_entries if change.kind is ChangeKind.LISTS else ():
            if change.state is ChangeState.DEPLOYED:
                added.setdefault((entry.list_name, entry.value), change)
            elif change.is_open:
                waiting[entry.list_name] = waiting.get(entry.list_name, 0) + 1
    shown = tuple(_list_view(each, added, waiting.get(each.name, 0), names, now) for each in lists)
    entries = sum(len(each.entries) for each in lists)
    return ListsView(
        summary=f"{counted(len(lists), 'list')}, {counted(entries, 'entry', 'entries')}.",
        lists=shown,
        most=MAX_LIST_ENTRIES,
    )


def lists_for(lists: Sequence[ListOutline], field: str) -> tuple[str, ...]:
    """Names of the lists that a field of a payment may be put on."""
    return tuple(each.name for each in lists if each.field == field)


def read_until(text: str, now: datetime) -> str | None:
    """Read until when an entry counts: a day, which is included, or a number of days from now; empty for ever.

    Raises
    ------
    ValueError
        Where it is neither, or over.

    Examples
    --------
    >>> read_until("30", datetime(2026, 12, 1)), read_until("2027-01-31", datetime(2026, 12, 1)), read_until("", datetime(2026, 12, 1))
    ('2026-12-31', '2027-01-31', None)
    """
    text = text.strip()
    if not text:
        return None
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= 3_650:
        return f"{(now + timedelta(days=int(text))).date()}"
    if not _DAY.fullmatch(text):
        raise ValueError("is neither a day such as 2027-01-31 nor a number of days from 1 to 3650")
    if date.fromisoformat(text) < now.date():
        raise ValueError("is over")
    return text


def read_pasted(list_name: str, text: str, until: str | None, note: str, now: datetime) -> Pasted:
    """Read pasted lines: a value each, perhaps with an expiry and a note behind commas or tabs.

    Parameters
    ----------
    list_name : str
        Where they go.
    text : str
        The lines; empty ones, and those that begin with ``#``, are left out.
    until : str | None
        Of lines without one.
    note : str
        Of lines without one.
    now : datetime
        The clock, UTC.
    """
    entries: dict[str, ListEntry] = {}
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = [part.strip() for part in re.split(r"[\t,;]", line, maxsplit=2)]
        value, own_until, own_note = (*parts, "", "")[:3]
        try:
            ends = read_until(own_until, now) if own_until else until
        except ValueError as error:
            problems.append(f"Line {number}: its expiry {error}.")
            continue
        if not value or len(value) > MAX_TEXT:
            problems.append(f"Line {number}: a value has 1 to {MAX_TEXT} characters.")
        elif value in entries:
            problems.append(f"Line {number}: its value was in an earlier line.")
        else:
            said = printable(own_note or note, MAX_TEXT) or None
            entries[value] = ListEntry(list_name=list_name, value=value, until=ends, note=said)
    if len(entries) > MAX_LIST_ENTRIES:
        problems.append(f"{len(entries)} entries: at most {MAX_LIST_ENTRIES} come in one change.")
    if not entries and not problems:
        problems.append("There is no line with a value.")
    return Pasted(tuple(entries.values()), tuple(problems))


def _list_view(
    one: ListOutline,
    added: Mapping[tuple[str, str], RulesetChange],
    waiting: int,
    names: Mapping[str, str],
    now: datetime,
) -> ListView:
    newest = list(enumerate(one.entries))[-MAX_SHOWN:][::-1]
    rows = tuple(_entry_row(number, one, entry, added, names, now) for number, entry in newest)
    expired = sum(_is_expired(entry.until, now) for entry in one.entries)
    text = counted(len(one.entries), "entry", "entries")
    return ListView(
        name=one.name,
        field=one.field,
        description=one.description,
        summary=f"{text}, {expired} of them expired" if expired else text,
        entries=rows,
        waiting=waiting,
        is_cut=len(one.entries) > MAX_SHOWN,
    )


def _entry_row(
    number: int,
    one: ListOutline,
    entry: Entry,
    added: Mapping[tuple[str, str], RulesetChange],
    names: Mapping[str, str],
    now: datetime,
) -> EntryRow:
    change = added.get((one.name, entry.value))
    by = ""
    if change is not None:
        approver = "" if change.decided_by is None else names.get(change.decided_by, change.decided_by)
        by = f"{names.get(change.changed_by, change.changed_by)}, {shown_time(change.changed_at)}"
        by += f", approved by {approver}" if approver else ""
    return EntryRow(
        number=number,
        value=shown_value(one.field, entry.value),
        until=entry.until or "for ever",
        is_expired=_is_expired(entry.until, now),
        note=entry.note,
        added=by,
        change_id="" if change is None else change.change_id,
    )


def _is_expired(until: str, now: datetime) -> bool:
    """Whether an entry counts no longer; the day that it names is included."""
    if _DAY.fullmatch(until):
        return date.fromisoformat(until) < now.astimezone(UTC).date()
    try:
        return bool(until) and datetime.fromisoformat(until.replace(" ", "T")) <= now
    except ValueError:
        return False
