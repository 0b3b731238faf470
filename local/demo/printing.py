"""Print a report for people: where every transaction went, what was found, how fast, the most severe alert and the last ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.markup import escape
from rich.table import Table

from lab.measures import as_table

if TYPE_CHECKING:
    from rich.console import Console

    from contract.alert import Alert
    from local.demo.final_state import FinalState
    from local.demo.report import DemoReport

LAST_ALERTS: Final = 5
"""So many alerts are shown, the newest ones."""

NEXT: Final = (
    "make up starts the system and prints the address of the console, where people decide on alerts like these",
    "make people prints who can sign in to it, make simulate sends it payments",
)
"""What to do after the demo."""


def print_report(report: DemoReport, final_state: FinalState, console: Console) -> None:
    """Print the report."""
    table = Table(title=f"\n{report.source}", title_justify="left", show_header=False)
    table.add_column("what")
    table.add_column("count", justify="right")
    table.add_column("where it is", style="dim")
    for row in count_rows(report):
        table.add_row(*row)
    console.print(table)
    console.print(speed_sentence(report))
    if report.detection is not None:
        console.print(f"\n{as_table(report.detection)}")
    worst = worst_alert(final_state)
    if worst is not None:
        console.print("\n[bold]the most severe alert[/]")
        console.print(escape(worst.headline))
        for reason in worst.reasons:
            console.print(escape(f"  {reason.points:+4d}  {reason.sentence}"))
        console.print("\n[bold]the last alerts[/]")
        for alert in last_alerts(final_state):
            console.print(escape("  ".join(alert_cells(alert))))
    if report.reconciled:
        console.print("\n[bold green]reconciled[/]: every transaction is accounted for, exactly once")
    else:
        console.print("\n[bold red]not reconciled[/]")
        for problem in report.problems:
            console.print(escape(f"  {problem}"))
    console.print("\n" + "\n".join(NEXT))


def count_rows(report: DemoReport) -> list[tuple[str, str, str]]:
    """Write what became of the transactions: what, how many, and where they are."""
    again = f"{report.alerts_again} of them again in a window, {report.alerts_repeated} repeated"
    counts = (
        ("transactions dropped", report.generated, "landing bucket"),
        ("bad rows dropped", report.bad_rows, "landing bucket"),
        ("quarantined by the Glue job", report.landed_bad, "quarantine bucket"),
        ("refunds", report.refunds, "counted, published nowhere"),
        ("published", report.published, f"transaction_stream, {report.repeats} repeats"),
        ("scored", report.history, f"transaction_history, {report.degraded} degraded"),
        ("quarantined by the score stage", report.quarantined, "quarantine queue"),
        ("flagged", report.flagged, "flagged_transactions"),
        ("alerts", report.alerts, f"fraud-alerts, {again}"),
        ("suppressed", report.suppressed, _suppressed(report)),
        ("digests", report.digests, "fraud-alerts"),
        ("dead letters", report.dead_letters, "dead-letter queues"),
    )
    return [(name, f"{count:,}", where) for name, count, where in counts]


def speed_sentence(report: DemoReport) -> str:
    """Say how fast it was."""
    latency = report.latency_ms
    return (
        f"{report.throughput_tps:,.0f} transactions/s over {report.seconds:.1f} s; topic to subscriber, "
        f"the wait in the backlog included: p50 {_ms(latency.p50)}, p95 {_ms(latency.p95)}, p99 {_ms(latency.p99)}"
    )


def worst_alert(final_state: FinalState) -> Alert | None:
    """The most severe alert; None where nobody was alerted."""
    alerts = (each.alert for each in final_state.delivered)
    return max(alerts, key=lambda alert: (alert.severity.rank, alert.risk_score), default=None)


def last_alerts(final_state: FinalState) -> list[Alert]:
    """The alerts that were delivered last, the newest first; one that came several times is named once."""
    first = {each.alert.alert_id: each for each in reversed(final_state.delivered)}
    newest = sorted(first.values(), key=lambda each: each.delivered_at_ms, reverse=True)
    return [each.alert for each in newest[:LAST_ALERTS]]


def alert_cells(alert: Alert) -> tuple[str, str, str, str]:
    """Write an alert in a line: when it was sent (UTC), how severe it is, its score, and its headline."""
    return f"{alert.alerted_at:%H:%M:%S}", alert.severity.value, str(alert.risk_score), alert.headline


def _suppressed(report: DemoReport) -> str:
    counted = "counted in a later alert or in a digest"
    return f"{counted}; {report.waiting} still wait for it in alert_windows" if report.waiting else counted


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f} ms"
