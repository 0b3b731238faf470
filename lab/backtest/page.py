"""A backtest as a page. Pure: its figures are those of the backtest, and its sentences those of the printed text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lab.backtest.comparison_page import comparison_section
from lab.backtest.crossing import EARLY_PAYMENTS, WARM_UP_DAYS
from lab.backtest.delays import row_cells
from lab.backtest.printing import (
    NO_LABELS,
    alerts_line,
    judged_text,
    learnt_lines,
    ranking_lines,
    set_apart_lines,
    shown_thresholds,
    threshold_name,
)
from lab.backtest.ranking import CARDS_A_DAY
from lab.measures import percent, share
from lab.pages.detection import detection_facts, detection_section
from lab.pages.drawing import Axis, Line, line_plot
from lab.pages.page import (
    Code,
    Fact,
    Listing,
    Page,
    Plot,
    Plots,
    Section,
    Text,
    figures,
    sections,
    table,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.rules.ruleset import Thresholds
    from lab.backtest.crossing import Crossing
    from lab.backtest.deciding import JudgedPayment
    from lab.backtest.delays import DelayRow
    from lab.backtest.ranking import RankingMeasures, ThresholdMeasures
    from lab.backtest.run import Backtest
    from lab.pages.page import Block

_SHARES = (("precision", "precision"), ("recall", "recall"), ("value recall", "value_recall"))


def backtest_page(
    backtest: Backtest,
    names: tuple[str, str],
    source: str,
    *,
    is_labelled: bool = True,
    shown: Sequence[tuple[str, int, Sequence[JudgedPayment]]] = (),
) -> Page:
    """Show what a ruleset finds.

    Parameters
    ----------
    backtest : Backtest
        The figures.
    names : tuple[str, str]
        What the ruleset and the one that is compared with are called; the second is empty without one.
    source : str
        What the payments are.
    is_labelled : bool
        Whether it is known what is fraud; if not, only alerts are shown.
    shown : Sequence[tuple[str, int, Sequence[JudgedPayment]]]
        Payments to be shown: what they are, how many there are, and the first of them.
    """
    report, measures, thresholds = backtest.report, backtest.measures, backtest.thresholds
    alerts = Fact("alerts a day", f"{measures.at(thresholds.review).alerts_a_day:,.1f}")
    answer = f"It flags {report.flagged:,} of {report.transactions:,} payments. "
    if is_labelled:
        answer += f"{percent(report.precision)} of what it flags is fraud, and it flags {percent(report.recall)} of the fraud."
    comparison = backtest.comparison
    return Page(
        title="What does this ruleset find?",
        answer=answer if is_labelled else answer + NO_LABELS,
        facts=(*(detection_facts(report) if is_labelled else ()), alerts),
        sections=sections(
            detection_section(report) if is_labelled else None,
            _thresholds(backtest, is_labelled=is_labelled),
            *(_crossing(backtest.crossing) if is_labelled else ()),
            _rules(backtest.rule_hits, is_labelled=is_labelled),
            None
            if comparison is None
            else comparison_section(comparison, names, backtest, is_labelled=is_labelled),
            *(_judged(*each) for each in shown),
            _set_apart(backtest),
        ),
        made_by=f"Made by make backtest: {names[0]}, {source}.",
    )


def delays_page(rows: Sequence[DelayRow], name: str, source: str) -> Page:
    """Show how good decisions are by how late labels come.

    Parameters
    ----------
    rows : Sequence[DelayRow]
        Without labels first.
    name : str
        What the ruleset is called.
    source : str
        What the payments are.
    """
    cells = [row_cells(row) for row in rows]
    never, *delays = cells
    answer = f"Without labels, the average precision is {never[1]}"
    answer += f"; with labels after {delays[0][0]} it is {delays[0][1]}." if delays else "."
    columns = (
        *words("label known after"),
        *figures(
            "average precision", f"card precision at {CARDS_A_DAY}", "alerts a day", "precision", "recall"
        ),
        *figures("labels of fraud", "labels of honest payments"),
    )
    return Page(
        title="How much do late labels cost?",
        answer=answer,
        facts=(),
        sections=(Section("By delay", (table("Figures by the delay of labels", columns, cells),)),),
        made_by=f"Made by make backtest: {name}, {source}.",
    )


def _thresholds(backtest: Backtest, *, is_labelled: bool) -> Section:
    measures, thresholds = backtest.measures, backtest.thresholds
    rows = []
    for each in shown_thresholds(measures.curve, thresholds):
        name = threshold_name(each.threshold, thresholds)
        cells = [f"{each.threshold} {name}".rstrip(), f"{each.flagged:,}", f"{each.alerts_a_day:,.1f}"]
        if is_labelled:
            cells += [percent(getattr(each, field)) for _, field in _SHARES]
        rows.append(cells)
    shares = figures(*(name for name, _ in _SHARES)) if is_labelled else ()
    plots = (
        _alerts_plot(measures, thresholds),
        *((_shares_plot(measures, thresholds),) if is_labelled else ()),
    )
    known = (*ranking_lines(measures), *learnt_lines(backtest)) if is_labelled else ()
    blocks: tuple[Block, ...] = (
        Plots(plots),
        table(
            "By threshold",
            (*words("from so many points on"), *figures("flagged", "alerts a day"), *shares),
            rows,
        ),
        Listing("", (*known, alerts_line(measures, thresholds))),
    )
    return Section("If it flagged from another threshold on", blocks)


def _marks(thresholds: Thresholds) -> list[tuple[float, str]]:
    return [(thresholds.review, "review"), (thresholds.block, "block")]


def _points_axis(measures: RankingMeasures) -> Axis:
    return Axis("threshold, points", 0, max(each.threshold for each in measures.curve))


def _alerts_plot(measures: RankingMeasures, thresholds: Thresholds) -> Plot:
    points = [(float(each.threshold), each.alerts_a_day) for each in measures.curve]
    y = Axis("alerts a day", 0, max(alerts for _, alerts in points) or 1.0)
    return Plot(
        line_plot(_points_axis(measures), y, [Line("alerts a day", points)], _marks(thresholds)),
        "A line: alerts a day by the threshold; the table below has the figures.",
        "Alerts a day by the threshold. Flagged payments of one user within 15 minutes are one alert.",
    )


def _shares_plot(measures: RankingMeasures, thresholds: Thresholds) -> Plot:
    lines = [Line(name, _known(measures.curve, field)) for name, field in _SHARES]
    y = Axis("share", 0, 1, write="{:.0%}".format)
    return Plot(
        line_plot(_points_axis(measures), y, lines, _marks(thresholds)),
        "Three lines: precision, recall and value recall by the threshold; the table below has the figures.",
        "Precision, recall and value recall by the threshold.",
    )


def _known(curve: Sequence[ThresholdMeasures], field: str) -> list[tuple[float, float]]:
    return [(each.threshold, value) for each in curve if (value := getattr(each, field)) is not None]


def _crossing(crossing: Crossing) -> tuple[Section, Section]:
    attacks = [
        (
            kind.replace("_", " "),
            f"{found.incidents:,}",
            f"{found.users:.0f}",
            percent(share(found.early, found.incidents), 0),
            percent(share(found.detected, found.incidents), 0),
        )
        for kind, found in crossing.attacks.items()
    ]
    crowds, by_rule = [], Counter[str]()
    for kind, alarms in crossing.crowds.items():
        by_rule.update(alarms.by_rule)
        own = alarms.flagged - alarms.for_others
        counts = (alarms.payments, alarms.flagged, alarms.for_others, own)
        crowds.append((kind.replace("_", " "), *(f"{count:,}" for count in counts)))
    attack_table = table(
        "Attacks that cross users",
        (*words("kind"), *figures("attacks", "users of one", "found early", "found")),
        attacks,
        f"Early: one of the first {EARLY_PAYMENTS} payments of the attack was flagged.",
    )
    crowd_table = table(
        f"Honest crowds, after {WARM_UP_DAYS} days",
        (*words("kind"), *figures("payments", "flagged", "for others", "own doing")),
        crowds,
        "For others: would be approved if nobody else paid there. Own doing: not even then.",
    )
    rules = Listing(
        "Rules that held for flagged payments of crowds",
        tuple(f"{rule_id}: {count:,}" for rule_id, count in by_rule.most_common()),
    )
    return (
        Section("Attacks that cross users", (attack_table,) if attacks else ()),
        Section(
            "Honest crowds that look like attacks",
            (crowd_table, *((rules,) if by_rule else ())) if crowds else (),
        ),
    )


def _rules(rule_hits: dict[str, tuple[int, int]], *, is_labelled: bool) -> Section:
    if is_labelled:
        rows = [(rule, f"{fraud:,}", f"{honest:,}") for rule, (fraud, honest) in rule_hits.items()]
        found = table("How often each rule held", (*words("rule"), *figures("fraud", "honest")), rows)
    else:
        counts = [(rule, f"{fraud + honest:,}") for rule, (fraud, honest) in rule_hits.items()]
        found = table("How often each rule held", (*words("rule"), *figures("payments")), counts)
    return Section("Rules", (found,) if rule_hits else ())


def _judged(title: str, count: int, judged: Sequence[JudgedPayment]) -> Section:
    found = Text(f"{count:,}; {len(judged):,} of them are shown." if count else "None.")
    return Section(
        title.capitalize(),
        (found, *(Code(f"{number}.", judged_text(each)) for number, each in enumerate(judged, 1))),
    )


def _set_apart(backtest: Backtest) -> Section:
    lines = tuple(set_apart_lines(backtest))
    return Section("Records that count in no figure", (Listing("", lines),) if lines else ())
