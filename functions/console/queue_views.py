"""View models of the queue: its cases in order, filters with counts, and who works on how many. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import msgspec

from console.views import base_money, counted, due_text, duration, holder_text, shown_time
from contract.alert import Severity
from contract.case_queue import QueueFilter, at_risk_base
from contract.case_work import holder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from contract.case import QueuedCase
    from contract.closed_case import LookCase
    from contract.saved_filter import SavedFilter

SHOWN: Final = 100
"""Cases that the queue shows."""

SHOWN_LOOKS: Final = 100
"""Cases for a second person that the queue shows."""

VIEWS: Final = (("all", "All"), ("yours", "Yours"), ("open", "Open"), ("overdue", "Overdue"))
"""Filters by state: the word in the address, and on the page."""

SEVERITIES: Final = (
    ("any", "Any severity"),
    *((each.value, each.value.capitalize()) for each in reversed(Severity)),
)
"""Filters by severity, the gravest first."""


LEASTS: Final = (("any", "Any money"), ("1000", "1,000 or more"), ("10000", "10,000 or more"))
"""Filters by least money at risk, major units of the case's base currency."""


class Filter(msgspec.Struct, frozen=True):
    """What the queue is narrowed to."""

    view: str = "all"
    severity: str = "any"
    least: str = "any"


class QueueRow(msgspec.Struct, frozen=True):
    """A case that is not closed."""

    case_id: str
    severity: str
    at_risk: str
    payments: str
    due: str
    is_overdue: bool
    age: str
    state: str


class LookRow(msgspec.Struct, frozen=True):
    """A case that a second person is to look at."""

    case_id: str
    severity: str
    since: str
    payments: str
    released: str


class LooksView(msgspec.Struct, frozen=True):
    """What waits for a second person."""

    summary: str
    """How many, of how much, and since when the oldest; empty for none."""
    rows: tuple[LookRow, ...]


class Choice(msgspec.Struct, frozen=True):
    """A filter on the page."""

    query: str
    """Of the queue's address."""
    words: str
    count: int
    is_chosen: bool


class SavedChoice(msgspec.Struct, frozen=True):
    """A filter that somebody keeps."""

    filter_id: str
    name: str
    count: int
    is_chosen: bool


class Load(msgspec.Struct, frozen=True):
    """What somebody works on."""

    name: str
    cases: int
    overdue: int
    money: str


class QueueView(msgspec.Struct, frozen=True):
    """The queue."""

    summary: str
    rows: tuple[QueueRow, ...]
    views: tuple[Choice, ...]
    severities: tuple[Choice, ...]
    leasts: tuple[Choice, ...]
    saved: tuple[SavedChoice, ...]
    wanted: Filter
    can_save: bool
    """Whether what it is narrowed to is something, and is not saved yet."""
    workload: tuple[Load, ...]


def read_filter(view: str, severity: str, least: str = "") -> Filter:
    """Read what an address or a cookie asks for; what it does not know is all."""
    return Filter(
        view if view in dict(VIEWS) else Filter().view,
        severity if severity in dict(SEVERITIES) else Filter().severity,
        least if least in dict(LEASTS) else Filter().least,
    )


def query_of(wanted: Filter) -> str:
    """What the queue's address has of a filter, behind its question mark."""
    return urlencode(msgspec.structs.asdict(wanted))


def queue_view(
    cases: Sequence[QueuedCase],
    wanted: Filter,
    person: str,
    names: Mapping[str, str],
    now: datetime,
    saved: Sequence[SavedFilter] = (),
    *,
    has_more: bool,
) -> QueueView:
    """Show the queue to somebody.

    Parameters
    ----------
    cases : Sequence[QueuedCase]
        The most urgent first.
    wanted : Filter
        What is shown; the counts are of all.
    person : str
        Who looks at it.
    names : Mapping[str, str]
        Person to name, of those who were signed in lately.
    now : datetime
        The clock, UTC.
    saved : Sequence[SavedFilter]
        That this person keeps.
    has_more : bool
        Whether the queue goes on behind these cases.
    """
    taking = _taking(wanted, person)
    narrowed = [case for case in cases if taking.takes(case, now)]
    rows = tuple(_row(case, person, names, now) for case in narrowed[:SHOWN])
    overdue = sum(case.due_at < now for case in narrowed)

    def count(other: Filter) -> int:
        taken = _taking(other, person)
        return sum(taken.takes(case, now) for case in cases)

    def choice(words: str, **changes: str) -> Choice:
        other = msgspec.structs.replace(wanted, **changes)
        return Choice(query_of(other), words, count(other), other == wanted)

    kept = tuple(
        SavedChoice(each.filter_id, each.name, count(filter_of(each)), filter_of(each) == wanted)
        for each in saved
    )
    return QueueView(
        summary=_summary(len(narrowed), overdue, len(cases), has_more=has_more),
        rows=rows,
        views=tuple(choice(words, view=view) for view, words in VIEWS),
        severities=tuple(choice(words, severity=severity) for severity, words in SEVERITIES),
        leasts=tuple(choice(words, least=least) for least, words in LEASTS),
        saved=kept,
        wanted=wanted,
        can_save=wanted != Filter() and not any(each.is_chosen for each in kept),
        workload=workload(cases, names, now),
    )


def looks_view(cases: Sequence[LookCase], person: str, now: datetime, *, has_more: bool) -> LooksView:
    """Show somebody the cases that wait for a second person: the most money first, then those that have waited longest.

    Parameters
    ----------
    cases : Sequence[LookCase]
        Those that have waited longest first.
    person : str
        Who looks at it. Cases of which this person is not the second one are left out.
    now : datetime
        The clock, UTC.
    has_more : bool
        Whether more cases wait than these.
    """
    own = [case for case in cases if person not in case.deciders]
    if not own:
        return LooksView("", ())
    oldest = min(case.second_look.since for case in own)
    summary = f"{counted(len(own), 'case')}{' or more' if has_more else ''}; the oldest has waited for {duration(now - oldest)}"
    if len(own) > SHOWN_LOOKS:
        summary += f". The {SHOWN_LOOKS} with the most money are shown"
    ranked = sorted(own, key=lambda case: (-case.second_look.released.amount_base, case.second_look.since))
    return LooksView(f"{summary}.", tuple(look_row(each) for each in ranked[:SHOWN_LOOKS]))


def look_row(case: LookCase) -> LookRow:
    """Show a case that a second person is to look at."""
    released = case.second_look.released
    return LookRow(
        case_id=case.key.case_id,
        severity=case.severity.value,
        since=shown_time(case.second_look.since),
        payments=counted(released.payments, "payment"),
        released=base_money(released.amount_base, case.base_currency),
    )


def workload(cases: Sequence[QueuedCase], names: Mapping[str, str], now: datetime) -> tuple[Load, ...]:
    """Say who works on how many cases, the most first."""
    held: dict[str, list[QueuedCase]] = {}
    for case in cases:
        if (person := holder(case, now)) is not None:
            held.setdefault(person, []).append(case)
    loads = [
        Load(
            name=names.get(person, "somebody who is not signed in"),
            cases=len(theirs),
            overdue=sum(case.due_at < now for case in theirs),
            money=_total(theirs),
        )
        for person, theirs in held.items()
    ]
    return tuple(sorted(loads, key=lambda load: (-load.cases, load.name)))


def _row(case: QueuedCase, person: str, names: Mapping[str, str], now: datetime) -> QueueRow:
    held_by = holder(case, now)
    state = holder_text(held_by, person)
    if held_by is not None and held_by != person and held_by in names:
        state = f"with {names[held_by]}"
    return QueueRow(
        case_id=case.key.case_id,
        severity=case.severity.value,
        at_risk=base_money(at_risk_base(case), case.base_currency),
        payments=counted(case.undecided.payments, "payment"),
        due=due_text(case.due_at, now),
        is_overdue=case.due_at < now,
        age=f"{duration(now - case.opened_at)} ago",
        state=state,
    )


def filter_of(saved: SavedFilter) -> Filter:
    """What a saved filter narrows the queue to."""
    return read_filter(saved.view, saved.severity, saved.least)


def _taking(wanted: Filter, person: str) -> QueueFilter:
    """What a filter takes, for somebody."""
    return QueueFilter(
        severities=frozenset() if wanted.severity == "any" else frozenset({Severity(wanted.severity)}),
        is_overdue=wanted.view == "overdue",
        is_free=wanted.view == "open",
        at_risk_base_from=None if wanted.least == "any" else Decimal(wanted.least),
        assignee=person if wanted.view == "yours" else None,
    )


def _summary(found: int, overdue: int, read: int, *, has_more: bool) -> str:
    text = f"{counted(found, 'case')}, {overdue} overdue"
    if found > SHOWN:
        text += f"; the {SHOWN} most urgent are shown"
    if has_more:
        text += f". Counts are of the {read} most urgent; there are more"
    return f"{text}."


def _total(cases: Sequence[QueuedCase]) -> str:
    currencies = {case.base_currency for case in cases}
    if len(currencies) != 1:
        return "not known"
    total = sum((at_risk_base(case) for case in cases), Decimal(0))
    return base_money(total, currencies.pop())
