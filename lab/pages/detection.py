"""How much fraud was found, as parts of a page: the backtest and the demo show the same. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.measures import one_digit, percent
from lab.pages.drawing import bar_plot
from lab.pages.page import Fact, Plot, Section, Text, figures, table, words

if TYPE_CHECKING:
    from lab.measures import DetectionReport


def detection_facts(report: DetectionReport) -> tuple[Fact, ...]:
    """The figures that come first."""
    return (
        Fact("precision: flagged payments that are fraud", percent(report.precision)),
        Fact("recall: fraud that is flagged", percent(report.recall)),
        Fact("value recall: money in fraud that is flagged", percent(report.value_recall)),
        Fact("incidents found", f"{report.incidents_detected:,} of {report.incidents:,}"),
    )


def detection_section(report: DetectionReport) -> Section:
    """All figures, and each kind of fraud."""
    rows = [
        (
            scenario.replace("_", " "),
            f"{found.transactions:,}",
            f"{found.flagged:,}",
            percent(found.recall),
            f"{found.incidents:,}",
            f"{found.incidents_detected:,}",
        )
        for scenario, found in report.by_scenario.items()
    ]
    flagged = sum(found.flagged for found in report.by_scenario.values())
    rows.append(
        (
            "all",
            f"{report.fraud:,}",
            f"{flagged:,}",
            percent(report.recall),
            f"{report.incidents:,}",
            f"{report.incidents_detected:,}",
        )
    )
    text = (
        f"{report.transactions:,} payments decided, {report.fraud:,} fraud, {report.flagged:,} flagged; f1 {percent(report.f1)}. "
        f"{percent(report.false_positive_rate, 2)} of the honest payments were flagged. "
        f"For one true fraud, {one_digit(report.alerts_per_true_fraud)} payments are flagged."
    )
    bars = [
        (scenario.replace("_", " "), found.recall, percent(found.recall))
        for scenario, found in report.by_scenario.items()
    ]
    plot = Plot(
        bar_plot(bars, "share of the payments that was flagged"),
        "Bars: the share of each kind of fraud that was flagged; the table below has the figures.",
        "Share of each kind of fraud that was flagged.",
    )
    return Section(
        "What was found",
        (
            Text(text),
            *((plot,) if bars else ()),
            table(
                "Fraud by kind",
                (*words("kind"), *figures("payments", "flagged", "recall", "incidents", "incidents found")),
                rows,
                "An incident is one attack; it is found if one of its payments is flagged.",
            ),
        ),
    )
