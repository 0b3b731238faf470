"""How good decisions are by how late labels come: one backtest a delay, over the same payments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from lab.backtest.labels import Delay, LabelPlan
from lab.backtest.ranking import CARDS_A_DAY
from lab.backtest.run import Backtest, run_backtest
from lab.measures import percent, three_digits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from engine.rules.ruleset import Ruleset
    from lab.backtest.stream import PaymentStream

HEAD: Final = (
    f"{'labels after':<13} {'average':>8} {'card':>10} {'alerts':>7} {'precision':>10} {'recall':>7} {'labels of':>10} {'of honest':>10}",
    f"{'':<13} {'precision':>9} {f'at {CARDS_A_DAY}':>9} {'a day':>7} {'':>10} {'':>7} {'fraud':>10} {'payments':>10}",
)
"""Above the rows: the columns' names, two lines."""


class DelayRow(msgspec.Struct, frozen=True):
    """One row of the table."""

    days: float | None
    """From a payment until its label is known; None where no label ever is."""
    backtest: Backtest


def run_delays(
    open_payments: Callable[[], PaymentStream],
    ruleset: Ruleset,
    days: Sequence[float],
    plan: LabelPlan,
) -> Iterator[DelayRow]:
    """Decide on the same payments without labels, and once for each delay.

    Parameters
    ----------
    open_payments : Callable[[], PaymentStream]
        Opens the payments from the beginning.
    ruleset : Ruleset
        The rules.
    days : Sequence[float]
        The delays, in the order of the table.
    plan : LabelPlan
        What becomes known of blocked payments; its delays are replaced.

    Yields
    ------
    DelayRow
        Without labels first.
    """
    for delay in (None, *days):
        payments = open_payments().payments
        played = None if delay is None else msgspec.structs.replace(plan, delays=(Delay(1.0, delay),))
        yield DelayRow(delay, run_backtest(payments, ruleset, plan=played))


def row_line(row: DelayRow) -> str:
    """Write one row."""
    days, average, card, alerts, precision, recall, *labels = row_cells(row)
    known = "".join(f" {cell:>10}" for cell in labels if cell)
    return f"{days:<13} {average:>9} {card:>9} {alerts:>7} {precision:>10} {recall:>7}{known}"


def row_cells(row: DelayRow) -> tuple[str, ...]:
    """Write the delay and its figures: average precision, card precision, alerts a day, precision, recall, labels of fraud and of honest payments."""
    report, measures = row.backtest.report, row.backtest.measures
    learnt = row.backtest.learnt
    return (
        "never" if row.days is None else f"{row.days:g} day{'' if row.days == 1 else 's'}",
        three_digits(measures.average_precision),
        three_digits(measures.card_precision),
        f"{measures.at(row.backtest.thresholds.review).alerts_a_day:,.1f}",
        percent(report.precision),
        percent(report.recall),
        "" if learnt is None else f"{learnt.frauds:,}",
        "" if learnt is None else f"{learnt.honest:,}",
    )
