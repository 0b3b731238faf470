"""View models of the watch page: how old the queue is, what was flagged and judged this week, and what each rule did. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from console.views import base_money, counted, duration
from contract.alert import Severity
from contract.case_work import holder
from contract.flagged import CONFIRMED_FRAUD, FALSE_POSITIVE
from contract.scored import Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from console.week_records import Listed, Week
    from contract.case import QueuedCase

DAYS: Final = 7

BANDS: Final = ((90, 100), (70, 89), (50, 69), (0, 49))
"""Risk scores, from and to."""

MODEL_RULE_ID: Final = "model"
"""How the ids of the model's reasons begin (:data:`engine.model.explanation.MODEL_RULE_ID`, which the zip leaves out)."""

FEW: Final = 10
"""Judged payments below which no rate is shown."""


class Row(msgspec.Struct, frozen=True):
    """Flagged payments of one kind."""

    name: str
    flagged: int
    fraud: int
    legitimate: int
    undecided: int
    false_alarms: str
    """Share of the judged ones that were legitimate; empty for fewer than :data:`FEW`."""
    fraud_money: str
    blocked_money: str
    """Of blocked ones that nobody has called legitimate."""


class WatchView(msgspec.Struct, frozen=True):
    """The page."""

    queue: str
    severities: tuple[tuple[str, int, int, str], ...]
    """Severity, cases, overdue ones, and the age of the oldest."""
    week: Row
    days: tuple[Row, ...]
    decisions: tuple[Row, ...]
    bands: tuple[Row, ...]
    rules: tuple[Row, ...]
    model: Row
    """Payments to whose score the model gave points."""
    rules_of: str
    """Of how many payments the rules are."""
    is_whole: bool


def watch_view(week: Week, cases: Sequence[QueuedCase], now: datetime, *, has_more: bool) -> WatchView:
    """Show what happens.

    Parameters
    ----------
    week : Week
        Flagged payments of the last :data:`DAYS` days, by event time.
    cases : Sequence[QueuedCase]
        Of the queue, the most urgent first.
    now : datetime
        The clock, UTC.
    has_more : bool
        Whether the queue goes on behind these cases.
    """
    listed = week.listed
    today = now.astimezone(UTC).date()
    dates = [today - timedelta(days=number) for number in range(DAYS)]
    of_rules = rows_by_rule(week)
    of_model = of_rules.pop(MODEL_RULE_ID, flagged_row(MODEL_RULE_ID, ()))
    return WatchView(
        queue=_queue_text(cases, now, has_more=has_more),
        severities=tuple(_severity(severity, cases, now) for severity in reversed(Severity)),
        week=flagged_row("All", listed),
        days=tuple(
            flagged_row(
                f"{day.day} {day:%b}",
                [each for each in listed if each.occurred_at.astimezone(UTC).date() == day],
            )
            for day in dates
        ),
        decisions=_rows(listed, [Decision.BLOCK, Decision.REVIEW], lambda each: each.decision),
        bands=tuple(
            flagged_row(f"{low} to {high}", [each for each in listed if low <= each.risk_score <= high])
            for low, high in BANDS
        ),
        rules=tuple(sorted(of_rules.values(), key=lambda row: (-row.flagged, row.name))),
        model=of_model,
        rules_of=counted(len(week.rows), "payment"),
        is_whole=week.is_whole,
    )


def first_midnight(now: datetime) -> datetime:
    """Begin of the last :data:`DAYS` days, today's included; ``now`` is in UTC."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)


def rows_by_rule(week: Week) -> dict[str, Row]:
    """What each rule and the model did, of the payments of :attr:`Week.rows`: its id to its flagged payments."""
    by_key = {each.key: each for each in week.listed}
    named: dict[str, list[Listed]] = {}
    for row in week.rows:
        if row.key in by_key:
            for rule_id in dict.fromkeys(map(_of_whom, row.rule_ids)):
                named.setdefault(rule_id, []).append(by_key[row.key])
    return {rule_id: flagged_row(rule_id, payments) for rule_id, payments in named.items()}


def _of_whom(rule_id: str) -> str:
    """The model, for each of its terms; else the rule."""
    return MODEL_RULE_ID if rule_id.partition(".")[0] == MODEL_RULE_ID else rule_id


def _rows(
    listed: Sequence[Listed], names: Sequence[Decision], of: Callable[[Listed], Hashable]
) -> tuple[Row, ...]:
    return tuple(flagged_row(name.value, [each for each in listed if of(each) == name]) for name in names)


def flagged_row(name: str, payments: Sequence[Listed]) -> Row:
    """Count flagged payments of one kind."""
    fraud = [each for each in payments if each.status == CONFIRMED_FRAUD]
    legitimate = sum(each.status == FALSE_POSITIVE for each in payments)
    judged = len(fraud) + legitimate
    return Row(
        name=name,
        flagged=len(payments),
        fraud=len(fraud),
        legitimate=legitimate,
        undecided=len(payments) - judged,
        false_alarms=f"{legitimate / judged:.0%}" if judged >= FEW else "",
        fraud_money=_money(fraud),
        blocked_money=_money([each for each in payments if _is_blocked(each)]),
    )


def _is_blocked(payment: Listed) -> bool:
    return payment.decision is Decision.BLOCK and payment.status != FALSE_POSITIVE


def _money(payments: Sequence[Listed]) -> str:
    sums: dict[str, Decimal] = {}
    for each in payments:
        if each.amount_base is not None and each.base_currency is not None:
            sums[each.base_currency] = sums.get(each.base_currency, Decimal(0)) + each.amount_base
    return " and ".join(base_money(total, currency) for currency, total in sorted(sums.items())) or "0"


def _queue_text(cases: Sequence[QueuedCase], now: datetime, *, has_more: bool) -> str:
    if not cases:
        return "No case waits."
    overdue = sum(case.due_at < now for case in cases)
    free = sum(holder(case, now) is None for case in cases)
    oldest = min(case.opened_at for case in cases)
    many = f"{len(cases)} or more cases wait" if has_more else f"{counted(len(cases), 'case')} not closed"
    return (
        f"{many}: {free} with nobody, {overdue} overdue; the oldest was opened {duration(now - oldest)} ago."
    )


def _severity(severity: Severity, cases: Sequence[QueuedCase], now: datetime) -> tuple[str, int, int, str]:
    these = [case for case in cases if case.severity is severity]
    oldest = duration(now - min(case.opened_at for case in these)) if these else ""
    return severity.value, len(these), sum(case.due_at < now for case in these), oldest
