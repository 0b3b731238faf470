"""The demo's report as a page. Pure: its figures are those of the report, its sentences those of the printed text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.pages.detection import detection_facts, detection_section
from lab.pages.page import Fact, Listing, Page, Section, Text, figures, sections, table, words
from local.demo.printing import NEXT, alert_cells, count_rows, last_alerts, speed_sentence, worst_alert

if TYPE_CHECKING:
    from local.demo.final_state import FinalState
    from local.demo.report import DemoReport


def demo_page(report: DemoReport, final_state: FinalState) -> Page:
    """Show where every payment went, what was found, and whom the system alerted.

    Parameters
    ----------
    report : DemoReport
        The figures.
    final_state : FinalState
        What every store holds after the run; its alerts are shown.
    """
    detection = report.detection
    return Page(
        title="Did every payment arrive exactly once?",
        answer=_answer(report),
        facts=(
            Fact("transactions", f"{report.generated:,}"),
            Fact("alerts", f"{report.alerts:,}"),
            *(detection_facts(detection) if detection is not None else ()),
        ),
        sections=sections(
            Section("What is wrong", (Listing("", report.problems),) if report.problems else ()),
            _counts(report),
            None if detection is None else detection_section(detection),
            _worst(final_state),
            _last(final_state),
            Section("What to do next", (Listing("", NEXT),)),
        ),
        made_by=f"Made by make demo: {report.source}, ruleset {', '.join(report.ruleset_versions) or 'none'}.",
    )


def _answer(report: DemoReport) -> str:
    if report.reconciled:
        return "Yes. Every transaction is accounted for, exactly once, from the file to the alert."
    return "No. What is missing or surplus is named below."


def _counts(report: DemoReport) -> Section:
    columns = (*words("what"), *figures("count"), *words("where it is"))
    return Section(
        "Where every transaction is",
        (
            table("Transactions by what became of them", columns, count_rows(report)),
            Text(f"{speed_sentence(report)}."),
        ),
    )


def _worst(final_state: FinalState) -> Section | None:
    worst = worst_alert(final_state)
    if worst is None:
        return None
    rows = [(reason.sentence, f"{reason.points:+d}") for reason in worst.reasons]
    return Section(
        "The most severe alert",
        (Text(worst.headline), table("Its reasons", (*words("reason"), *figures("points")), rows)),
    )


def _last(final_state: FinalState) -> Section:
    rows = [alert_cells(alert) for alert in last_alerts(final_state)]
    columns = (*words("sent at (UTC)", "severity"), *figures("score"), *words("alert"))
    return Section(
        "The last alerts", (table("The newest alerts, newest first", columns, rows),) if rows else ()
    )
