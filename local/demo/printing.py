"""Print a report for people: where every transaction went, what was found, how fast, and the most severe alert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from lab.measures import as_table

if TYPE_CHECKING:
    from rich.console import Console

    from local.demo.final_state import FinalState
    from local.demo.report import DemoReport


def print_report(report: DemoReport, final_state: FinalState, console: Console) -> None:
    """Print the report."""
    table = Table(title=f"\n{report.source}", title_justify="left", show_header=False)
    table.add_column("what")
    table.add_column("count", justify="right")
    table.add_column("where it is", style="dim")
    for name, count, where in (
        ("transactions dropped", report.generated, "landing bucket"),
        ("bad rows dropped", report.bad_rows, "landing bucket"),
        ("quarantined by the Glue job", report.landed_bad, "quarantine bucket"),
        ("refunds", report.refunds, "counted, published nowhere"),
        ("published", report.published, f"transaction_stream, {report.repeats} repeats"),
        ("scored", report.history, f"transaction_history, {report.degraded} degraded"),
        ("quarantined by the score stage", report.quarantined, "quarantine queue"),
        ("flagged", report.flagged, "flagged_transactions"),
        (
            "alerts",
            report.alerts,
            f"fraud-alerts, {report.alerts_again} of them again in a window, {report.alerts_repeated} repeated",
        ),
        ("suppressed", report.suppressed, _suppressed(report)),
        ("digests", report.digests, "fraud-alerts"),
        ("dead letters", report.dead_letters, "dead-letter queues"),
    ):
        table.add_row(name, f"{count:,}", where)
    console.print(table)
    latency = report.latency_ms
    console.print(
        f"{report.throughput_tps:,.0f} transactions/s over {report.seconds:.1f} s; topic to subscriber, "
        f"the wait in the backlog included: p50 {_ms(latency.p50)}, p95 {_ms(latency.p95)}, p99 {_ms(latency.p99)}"
    )
    if report.detection is not None:
        console.print(f"\n{as_table(report.detection)}")
    if final_state.delivered:
        worst = max(
            final_state.delivered, key=lambda each: (each.alert.severity.rank, each.alert.risk_score)
        ).alert
        console.print("\n[bold]the most severe alert[/]")
        console.print(escape(worst.headline))
        for reason in worst.reasons:
            console.print(escape(f"  {reason.points:+4d}  {reason.sentence}"))
    if report.reconciled:
        console.print("\n[bold green]reconciled[/]: every transaction is accounted for, exactly once")
    else:
        console.print("\n[bold red]not reconciled[/]")
        for problem in report.problems:
            console.print(escape(f"  {problem}"))


def _suppressed(report: DemoReport) -> str:
    counted = "counted in a later alert or in a digest"
    return f"{counted}; {report.waiting} still wait for it in alert_windows" if report.waiting else counted


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f} ms"
