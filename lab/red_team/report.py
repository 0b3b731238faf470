"""The figures of a red team's rounds, as JSON and as tables for people."""

from __future__ import annotations

from collections import Counter
from math import fsum
from statistics import median
from typing import TYPE_CHECKING

import msgspec

from lab.measures import percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lab.red_team.game import RoundResult, Suffering, Theft


class Takings(msgspec.Struct, frozen=True):
    """What the thieves of one kind took; money in US dollars, a mean of all of them."""

    thieves: int
    taken_before_alert_usd: float
    """Until the first payment that was flagged: nobody could have done anything before."""
    taken_within_a_day_usd: float
    """Until 24 hours after it: if people look at an alert within a day and close the account."""
    taken_usd: float
    """With all tries: if nobody did anything."""
    largest_usd: float
    """What the most successful one took, with all tries."""
    tries: float
    tries_to_alert: float | None
    """Median of those that were flagged; None if none was."""
    tries_to_money: float | None
    """Median of those that had a payment approved that is worthwhile; None if none had."""
    never_flagged: float
    """Share of the thieves, 0 to 1."""
    undecided_usd: float
    """In records that the engine refused as invalid or as repeats."""


class Burden(msgspec.Struct, frozen=True):
    """What honest people of one kind suffered."""

    people: int
    reviews: float
    """For 1,000 users and day."""
    blocks: float
    """For 1,000 users and day."""
    odd_payments: int
    odd_flagged: float | None
    """Share of the payments that make the oddness which were flagged, 0 to 1."""
    rules: dict[str, int]
    """How often a rule held for a payment that was flagged, most first."""


class Group(msgspec.Struct, frozen=True):
    """Rounds whose seeds have something in common."""

    seeds: tuple[int, ...]
    takings: dict[str, Takings]
    """By kind of thief, and ``all``."""
    burdens: dict[str, Burden]
    """By kind of people, and ``all``."""


class Report(msgspec.Struct, frozen=True):
    """All figures of one run."""

    engine: str
    groups: dict[str, Group]
    """``tuned`` and ``unseen`` seeds."""


def report_of(
    engine: str, seeds: Mapping[str, Sequence[int]], groups: Mapping[str, Sequence[RoundResult]]
) -> Report:
    """Sum up rounds, group by group; both mappings have the same keys."""
    return Report(engine, {name: _group(seeds[name], rounds) for name, rounds in groups.items() if rounds})


def as_json(report: Report) -> bytes:
    """Write a report for programs; the same report gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(report)) + b"\n"


def as_text(report: Report) -> str:
    """Write a report for people: a table of thieves, and one of honest people, the groups side by side."""
    groups = list(report.groups.values())
    if not groups:
        return "no seeds, no rounds"
    titles = [f"{name} seeds {', '.join(map(str, group.seeds))}" for name, group in report.groups.items()]
    header = f" | {'USD to alert':>12} {'in a day':>8} {'in all':>8} {'to alert':>8} {'to money':>8} {'no alert':>8}"
    lines = [
        _line("", [f" | {title:^57}" for title in titles]),
        _line("thieves", [header] * len(groups)),
        *(
            _line(kind, [_takings_text(group.takings[kind]) for group in groups])
            for kind in groups[0].takings
        ),
        *refused_lines(report),
        "",
        _line(
            "honest, of 1,000 a day",
            [f" | {'reviews':>12} {'blocks':>10} {'odd payments flagged':>33}"] * len(groups),
        ),
        *(_line(kind, [_burden_text(group.burdens[kind]) for group in groups]) for kind in groups[0].burdens),
    ]
    return "\n".join(lines)


def refused_lines(report: Report) -> list[str]:
    """Say of which thieves the engine refused records, which nobody is alerted on."""
    return [
        f"not scored, so without an alert, {name} seeds: {kind}, {takings.undecided_usd:,.0f} USD a thief"
        for name, group in report.groups.items()
        for kind, takings in group.takings.items()
        if kind != "all" and takings.undecided_usd >= 1
    ]


def _line(kind: str, cells: Sequence[str]) -> str:
    return f"{kind:<24}" + "".join(cells)


def _group(seeds: Sequence[int], rounds: Sequence[RoundResult]) -> Group:
    thefts: dict[str, list[Theft]] = {}
    suffering: dict[str, list[Suffering]] = {}
    for each in rounds:
        for theft in each.thefts:
            thefts.setdefault(theft.kind, []).append(theft)
            thefts.setdefault("all", []).append(theft)
        for kind, one in each.suffering.items():
            suffering.setdefault(kind, []).append(one)
    people = [one for found in suffering.values() for one in found]
    takings = {kind: _takings(found) for kind, found in thefts.items() if kind != "all"}
    burdens = {kind: _burden(found) for kind, found in suffering.items()}
    return Group(
        seeds=tuple(seeds),
        takings=takings | ({"all": _takings(thefts["all"])} if thefts else {}),
        burdens=burdens | ({"all": _burden(people)} if people else {}),
    )


def _takings(thefts: Sequence[Theft]) -> Takings:
    count = len(thefts)
    return Takings(
        thieves=count,
        taken_before_alert_usd=round(fsum(each.taken_before_alert_usd for each in thefts) / count, 2),
        taken_within_a_day_usd=round(fsum(each.taken_within_a_day_usd for each in thefts) / count, 2),
        taken_usd=round(fsum(each.taken_usd for each in thefts) / count, 2),
        largest_usd=round(max(each.taken_usd for each in thefts), 2),
        tries=sum(each.tries for each in thefts) / count,
        tries_to_alert=_median(each.alert_at_try for each in thefts),
        tries_to_money=_median(each.paid_at_try for each in thefts),
        never_flagged=sum(each.alert_at_try is None for each in thefts) / count,
        undecided_usd=round(fsum(each.undecided_usd for each in thefts) / count, 2),
    )


def _burden(found: Sequence[Suffering]) -> Burden:
    person_days = fsum(each.people * each.days for each in found)
    rules: Counter[str] = Counter()
    for each in found:
        rules.update(each.rules)
    odd = sum(each.odd_payments for each in found)
    return Burden(
        people=sum(each.people for each in found),
        reviews=1_000 * sum(each.reviews for each in found) / person_days,
        blocks=1_000 * sum(each.blocks for each in found) / person_days,
        odd_payments=odd,
        odd_flagged=sum(each.odd_flagged for each in found) / odd if odd else None,
        rules=dict(sorted(rules.items(), key=lambda item: (-item[1], item[0]))),
    )


def _median(numbers: Iterable[int | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return float(median(known)) if known else None


def takings_cells(takings: Takings) -> tuple[str, str, str, str, str, str]:
    """Write what thieves took: until the alert, within a day, in all; tries to the alert and to money; share without an alert."""
    return (
        f"{takings.taken_before_alert_usd:,.0f}",
        f"{takings.taken_within_a_day_usd:,.0f}",
        f"{takings.taken_usd:,.0f}",
        _count(takings.tries_to_alert),
        _count(takings.tries_to_money),
        percent(takings.never_flagged, 0),
    )


def burden_cells(burden: Burden) -> tuple[str, str, str]:
    """Write what honest people suffered: reviews and blocks of 1,000 users a day; which share of their odd payments was flagged."""
    flagged = f"{percent(burden.odd_flagged)} of {burden.odd_payments:,}" if burden.odd_payments else "-"
    return f"{burden.reviews:.1f}", f"{burden.blocks:.1f}", flagged


def _takings_text(takings: Takings) -> str:
    first, *others = takings_cells(takings)
    return " | " + " ".join([f"{first:>12}", *(f"{cell:>8}" for cell in others)])


def _burden_text(burden: Burden) -> str:
    reviews, blocks, flagged = burden_cells(burden)
    return f" | {reviews:>12} {blocks:>10} {flagged:>33}"


def _count(number: float | None) -> str:
    return "-" if number is None else f"{number:g}"
