"""A backtest of stored rows as a page. Pure: its figures are those of the printed text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.measures import percent, three_digits
from lab.pages.drawing import Axis, Line, line_plot
from lab.pages.page import Fact, Listing, Page, Plot, Section, Text, figures, sections, table, words
from lab.rows.tally import Amounts
from lab.rows.text import (
    FINDING_WORDS,
    NO_LABELS,
    labels_text,
    lacking_lines,
    money,
    most,
    rows_lines,
    shown_curve,
)
from lab.rows.truth import Finding

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from engine.rules.ruleset import Thresholds
    from lab.pages.page import Block, Column
    from lab.rows.report import Flagging, RowsReport
    from lab.rows.tally import RowsTally, Side

_SIDES = ("then", "now")


def rows_page(
    report: RowsReport,
    thresholds: Thresholds,
    name: str,
    lacking: Mapping[str, Container[str]],
    *,
    labels: int,
    read: str,
) -> Page:
    """Show what other rules decide about stored payments.

    Parameters
    ----------
    report, thresholds, name, lacking, labels
        As those of :func:`lab.rows.text.as_text`.
    read : str
        What was read: the export, and as of when.
    """
    tally, is_labelled = report.tally, bool(labels)
    then, now = report.stored.flagged.payments, report.again.flagged.payments
    return Page(
        title="What would these rules decide about the stored payments?",
        answer=f"Of {tally.all.payments:,} payments they flag {now:,}; {then:,} were flagged then, and {tally.both:,} are flagged by both.",
        facts=tuple(
            Fact(f"{what}, {side}", value)
            for side, found in zip(_SIDES, (report.stored, report.again), strict=True)
            for what, value in _facts(found, is_labelled)
        ),
        sections=sections(
            _both(report, name, labels, is_labelled=is_labelled),
            _curve(report, thresholds, is_labelled=is_labelled),
            _changes(tally, is_labelled=is_labelled),
            *(
                _only(title, side, is_labelled=is_labelled)
                for title, side in (("now", tally.again), ("then", tally.stored))
            ),
            _rules(tally, is_labelled=is_labelled),
            _read(tally, lacking),
        ),
        made_by=f"Made by make backtest: {name}, {read}.",
    )


def _facts(found: Flagging, is_labelled: bool) -> Iterator[tuple[str, str]]:
    yield "alerts a day", f"{found.alerts_a_day:,.1f}"
    if is_labelled:
        yield "precision", percent(found.precision)
        yield "recall", percent(found.recall)


def _columns(is_labelled: bool) -> tuple[Column, ...]:
    shares = ("precision", "recall", "value recall") if is_labelled else ()
    return figures("flagged", "alerts a day", *shares)


def _cells(side: Flagging, is_labelled: bool) -> tuple[str, ...]:
    shares = (
        (percent(side.precision), percent(side.recall), percent(side.value_recall)) if is_labelled else ()
    )
    return (f"{side.flagged.payments:,}", f"{side.alerts_a_day:,.1f}", *shares)


def _both(report: RowsReport, name: str, labels: int, *, is_labelled: bool) -> Section:
    averages = (report.stored_average_precision, report.average_precision)
    rows = [
        (title, *_cells(side, is_labelled), *((three_digits(average),) if is_labelled else ()))
        for title, side, average in zip(_SIDES, (report.stored, report.again), averages, strict=True)
    ]
    average = figures("average precision") if is_labelled else ()
    labelled = Text(labels_text(report.tally, labels) if is_labelled else NO_LABELS)
    found = table(
        "Decisions of then, and of now",
        (*words("decided"), *_columns(is_labelled), *average),
        rows,
        f"Now: {name}.",
    )
    return Section("Then and now", (labelled, found))


def _curve(report: RowsReport, thresholds: Thresholds, *, is_labelled: bool) -> Section:
    rows = [
        (f"{threshold} {title}".rstrip(), *_cells(side, is_labelled))
        for threshold, title, side in shown_curve(report, thresholds)
    ]
    points = [(float(threshold), side.alerts_a_day) for threshold, side in report.curve]
    x = Axis("threshold, points", 0, max(threshold for threshold, _ in points))
    y = Axis("alerts a day", 0, max(alerts for _, alerts in points) or 1.0)
    marks = [(thresholds.review, "review"), (thresholds.block, "block")]
    plot = Plot(
        line_plot(x, y, [Line("alerts a day", points)], marks),
        "A line: alerts a day by the threshold; the table below has the figures.",
        "Alerts a day by the threshold, of the rules of now.",
    )
    found = table("By threshold", (*words("from so many points on"), *_columns(is_labelled)), rows)
    return Section("If they flagged from another threshold on", (plot, found))


def _changes(tally: RowsTally, *, is_labelled: bool) -> Section:
    rows = []
    for change, amounts in sorted(tally.changes.items()):
        then, now = change.split()
        rows.append((then, now, *_amounts(amounts, is_labelled)))
    columns = (*words("then", "now"), *_amount_columns(is_labelled))
    return Section(
        "Decisions that change", (table("Payments by both decisions", columns, rows),) if rows else ()
    )


def _amount_columns(is_labelled: bool) -> tuple[Column, ...]:
    return figures("payments", *(("fraud",) if is_labelled else ()), "value")


def _amounts(amounts: Amounts, is_labelled: bool) -> tuple[str, ...]:
    fraud = (f"{amounts.fraud:,}",) if is_labelled else ()
    return (f"{amounts.payments:,}", *fraud, money(amounts.value))


def _only(title: str, side: Side, *, is_labelled: bool) -> Section:
    fraud = f" ({side.only.fraud:,} fraud)" if is_labelled else ""
    blocks: list[Block] = [
        Text(
            f"{side.only.payments:,} payments{fraud}, {money(side.only.value)} in value in the base currency."
        )
    ]
    by_rule = sorted(side.only_by_rule.items(), key=lambda each: (-each[1].amounts.payments, each[0]))
    rules, examples = [], []
    shown: set[str] = set()  # a payment is an example once, of the rule with the most payments
    for rule_id, difference in by_rule:
        rules.append((rule_id, *_amounts(difference.amounts, is_labelled)))
        for each in difference.examples:
            if each.transaction_id not in shown:
                shown.add(each.transaction_id)
                kind = (FINDING_WORDS[Finding(each.finding)],) if is_labelled else ()
                who = (each.transaction_id, each.user_id, each.timestamp, each.amount)
                examples.append((*who, f"{each.score}", f"{each.other_score}", rule_id, *kind))
    if rules:
        blocks.append(
            table(f"Flagged {title} alone, by rule", (*words("rule"), *_amount_columns(is_labelled)), rules)
        )
    if examples:
        columns = (
            *words("transaction", "user", "time"),
            *figures("amount", "points", "points of the other"),
            *words("rule", *(("what it was",) if is_labelled else ())),
        )
        blocks.append(table(f"Flagged {title} alone, those with the most money", columns, examples))
    return Section(f"Flagged {title} alone", tuple(blocks))


def _rules(tally: RowsTally, *, is_labelled: bool) -> Section:
    none, rows = Amounts(), []
    for rule_id in sorted({*tally.stored.rules, *tally.again.rules}):
        cells: list[str] = []
        for side in (tally.stored, tally.again):
            amounts = side.rules.get(rule_id, none)
            cells += [f"{amounts.payments:,}", *((f"{amounts.fraud:,}",) if is_labelled else ())]
        rows.append((rule_id, *cells))
    heads = [head for side in _SIDES for head in (side, *((f"fraud, {side}",) if is_labelled else ()))]
    found = table("How often each rule held", (*words("rule"), *figures(*heads)), rows)
    return Section("Rules", (found,) if rows else ())


def _read(tally: RowsTally, lacking: Mapping[str, Container[str]]) -> Section:
    blocks: list[Block] = [Listing("", tuple(line.strip() for line in rows_lines(tally)))]
    versions = [(version, f"{count:,}") for version, count in most(tally.rulesets)]
    if versions:
        blocks.append(table("Decided then by", (*words("ruleset"), *figures("payments")), versions))
    if lines := tuple(line.strip() for line in lacking_lines(tally, lacking)):
        blocks.append(Listing("Features that rows lack, or hold as they were computed otherwise", lines))
    return Section("What was read", tuple(blocks))
