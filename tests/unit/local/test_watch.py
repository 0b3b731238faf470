"""The live view shows what the snapshots hold, and marks what they do not know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from contract.alert import Severity
from local.latest_alerts import AlertLine
from local.stack_metrics import Snapshot
from local.watch import line, rate, render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@pytest.fixture
def snapshot() -> Callable[..., Snapshot]:
    """Factory of snapshots at a second of the test's clock."""

    def make(second: float, **changes: Any) -> Snapshot:
        at = datetime(2026, 1, 2, 3, 4, int(second), tzinfo=UTC)
        counts: dict[str, Any] = {"published": 0, "history": 0, "flagged": 0, "alerts": 0}
        return Snapshot(at=at, monotonic_seconds=second, **(counts | changes))

    return make


def drawn(history: Sequence[Snapshot]) -> str:
    console = Console(width=120, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(render(history))
    return captured.get()


def test_rate_is_the_growth_over_the_time_between_the_snapshots(snapshot: Callable[..., Snapshot]) -> None:
    history = [snapshot(0, history=10), snapshot(1, history=50), snapshot(4, history=90)]

    assert rate(history, "history") == 20.0


def test_rate_is_unknown_until_two_snapshots_know_the_count(snapshot: Callable[..., Snapshot]) -> None:
    history = [snapshot(0, history=None), snapshot(1, history=50)]

    assert rate(history, "history") is None


def test_rate_of_a_count_that_became_smaller_is_zero(snapshot: Callable[..., Snapshot]) -> None:
    assert rate([snapshot(0, flagged=5), snapshot(1, flagged=2)], "flagged") == 0.0


def test_view_shows_counts_rates_backlog_and_quarantined_records(snapshot: Callable[..., Snapshot]) -> None:
    history = [
        snapshot(0),
        snapshot(
            2,
            published=12_345,
            backlog={"score": 678},
            quarantined=9,
            dead_letters=None,
            problems=("SQS: gone",),
        ),
    ]

    view = drawn(history)

    assert "12,345" in view
    assert "6,172.5" in view
    assert "678" in view
    assert "quarantined 9" in view
    assert "dead letters –" in view  # noqa: RUF001
    assert "SQS: gone" in view


def test_view_shows_an_alert_with_its_sentence_and_takes_brackets_literally(
    snapshot: Callable[..., Snapshot],
) -> None:
    alert = AlertLine(
        alerted_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        severity=Severity.CRITICAL,
        risk_score=97,
        user_id="user[red]1",
        amount="1200.00 EUR",
        sentence="Paris to Tokyo in 1 h",
    )

    view = drawn([snapshot(1, latest_alerts=(alert,))])

    for part in ("97", "user[red]1", "1200.00 EUR", "Paris to Tokyo in 1 h"):
        assert part in view


def test_line_without_a_terminal_has_the_same_figures(snapshot: Callable[..., Snapshot]) -> None:
    history = [snapshot(0), snapshot(2, history=100, backlog={"score": 3}, quarantined=1, dead_letters=0)]

    assert "scored 100 (50.0/s, backlog 3)" in line(history)
    assert line(history).endswith("quarantined 1  dead letters 0")
