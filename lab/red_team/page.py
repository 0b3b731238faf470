"""A red team's report as a page. Pure: its figures are those of the report, written as in the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.pages.drawing import bar_plot
from lab.pages.page import Fact, Listing, Page, Plot, Section, Text, figures, sections, table, words
from lab.red_team.report import burden_cells, refused_lines, takings_cells

if TYPE_CHECKING:
    from lab.pages.page import Block
    from lab.red_team.report import Group, Report, Takings

ALL = "all"
"""All kinds of thieves, or of people, together."""


def red_team_page(report: Report) -> Page:
    """Show what thieves take from a ruleset, and what honest people suffer.

    Parameters
    ----------
    report : Report
        The figures.
    """
    refused = tuple(refused_lines(report))
    return Page(
        title="What do thieves take, and what do honest people suffer?",
        answer=_answer(report),
        facts=tuple(fact for name, group in report.groups.items() for fact in _facts(name, group)),
        sections=sections(
            *(_thieves(name, group) for name, group in report.groups.items()),
            Section("Records that were not scored", (Listing("", refused),) if refused else ()),
            *(_people(name, group) for name, group in report.groups.items()),
        ),
        made_by=f"Made by make red-team with {report.engine}.",
    )


def _answer(report: Report) -> str:
    if not report.groups:
        return "No seeds, no rounds."
    takings = [f"{_within_a_day(group)} USD on {name} seeds" for name, group in report.groups.items()]
    return (
        f"Against {report.engine}, a thief takes on average {' and '.join(takings)} until 24 hours after the first alert: "
        "what is lost if people look at an alert within a day and close the account."
    )


def _facts(name: str, group: Group) -> tuple[Fact, ...]:
    takings, burden = group.takings.get(ALL), group.burdens.get(ALL)
    found = []
    if takings is not None:
        found.append(Fact(f"thieves who never cause an alert, {name} seeds", takings_cells(takings)[5]))
    if burden is not None:
        reviews, blocks, _ = burden_cells(burden)
        found.append(
            Fact(f"reviews and blocks of 1,000 honest users a day, {name} seeds", f"{reviews} and {blocks}")
        )
    return tuple(found)


def _within_a_day(group: Group) -> str:
    takings = group.takings.get(ALL)
    return "-" if takings is None else takings_cells(takings)[1]


def _thieves(name: str, group: Group) -> Section:
    if not group.takings:
        return Section(_titled("Thieves", name, group), (Text("No thief played."),))
    kinds: list[tuple[str, Takings]] = list(group.takings.items())
    plot = Plot(
        bar_plot(
            [
                (kind, each.taken_within_a_day_usd, takings_cells(each)[1])
                for kind, each in kinds
                if kind != ALL
            ],
            "USD a thief, until a day after the first alert",
        ),
        "Bars: USD that a thief of each kind takes until a day after the first alert; the table below has the figures.",
        "What a thief takes until a day after the first alert, by kind.",
    )
    columns = (
        *words("thieves"),
        *figures("number", "USD until the alert", "USD until a day after it", "USD with all tries"),
        *figures(
            "USD of the most successful", "tries until the alert", "tries until money", "without an alert"
        ),
    )
    rows = []
    for kind, each in kinds:
        before, day, whole, alert, money, never = takings_cells(each)
        rows.append(
            (kind, f"{each.thieves:,}", before, day, whole, f"{each.largest_usd:,.0f}", alert, money, never)
        )
    note = "Amounts are means of all thieves of a kind. Tries are the median of those who got so far; money is an approved payment of 100 USD or more."
    return Section(
        _titled("Thieves", name, group),
        (plot, table(f"What thieves take, {name} seeds", columns, rows, note)),
    )


def _people(name: str, group: Group) -> Section:
    columns = (
        *words("people"),
        *figures("number", "reviews", "blocks", "odd payments flagged"),
        *words("rules that held, most often first"),
    )
    rows = [
        (
            kind,
            f"{each.people:,}",
            *burden_cells(each),
            ", ".join(f"{rule} {count:,}" for rule, count in list(each.rules.items())[:5]) or "-",
        )
        for kind, each in group.burdens.items()
    ]
    blocks: tuple[Block, ...] = (
        table(
            f"What honest people suffer, {name} seeds",
            columns,
            rows,
            "Reviews and blocks are those of 1,000 users in a day. An odd payment is what makes a kind of people odd, such as the first one abroad.",
        ),
    )
    return Section(_titled("Honest people", name, group), blocks if rows else ())


def _titled(what: str, name: str, group: Group) -> str:
    return f"{what}, {name} seeds {', '.join(map(str, group.seeds))}"
