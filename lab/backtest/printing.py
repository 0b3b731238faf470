"""A backtest as text for people, within 80 columns but for examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from lab.backtest.crossing import crossing_lines
from lab.backtest.ranking import CARDS_A_DAY
from lab.measures import as_table, percent, three_digits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.rules.ruleset import Thresholds
    from lab.backtest.comparing import Comparison, OnlyFlagged
    from lab.backtest.deciding import JudgedPayment
    from lab.backtest.ranking import RankingMeasures, ThresholdMeasures
    from lab.backtest.run import Backtest

SHOWN_THRESHOLDS: Final = range(10, 101, 10)
"""Rows of the table along the threshold, beside the ruleset's own; the plot has more."""

NO_LABELS: Final = (
    "No labels: which payments were fraud is not known, so precision and recall are not either.\n"
    "A mapping names the column of labels: label: {column: <column>, fraud_values: ['1']}"
)


def as_text(backtest: Backtest, *, is_labelled: bool = True) -> str:
    """Write a backtest: what was found, the measures along the threshold, and how often each rule held.

    Parameters
    ----------
    backtest : Backtest
        The figures.
    is_labelled : bool
        Whether it is known what is fraud; if not, only alerts are reported.
    """
    report, measures, thresholds = backtest.report, backtest.measures, backtest.thresholds
    if is_labelled:
        lines = [as_table(report), "", *crossing_lines(backtest.crossing)]
        lines += [*_curve(measures, thresholds), "", *ranking_lines(measures), *learnt_lines(backtest)]
    else:
        lines = [f"{report.transactions:,} decided, {report.flagged:,} flagged", NO_LABELS, ""]
        lines += _alert_curve(measures, thresholds)
    lines += [alerts_line(measures, thresholds), "", *_rules(backtest.rule_hits, is_labelled=is_labelled)]
    first, *others = set_apart_lines(backtest) or [""]
    lines += ["", first, *(f"  {line}" for line in others)] if first else []
    return "\n".join(lines)


def set_apart_lines(backtest: Backtest) -> list[str]:
    """Say which records count in no figure, and why; no lines where all count."""
    if not (backtest.invalid or backtest.repeats or backtest.refunds):
        return []
    set_apart = f"{backtest.invalid:,} records are not valid, {backtest.repeats:,} repeat others"
    lines = [f"{set_apart}, {backtest.refunds:,} are refunds"]
    lines += [f"not valid: {field} {count:,}" for field, count in backtest.invalid_by_field.items()]
    return lines if backtest.first_invalid is None else [*lines, f"the first: {backtest.first_invalid}"]


def comparison_text(
    comparison: Comparison, names: tuple[str, str], backtest: Backtest, *, is_labelled: bool = True
) -> str:
    """Write what each of two rulesets flags that the other does not.

    Parameters
    ----------
    comparison : Comparison
        The figures.
    names : tuple[str, str]
        What the ruleset and the one that is compared with are called.
    backtest : Backtest
        Of the ruleset.
    is_labelled : bool
        Whether it is known what is fraud.
    """
    lines = [f"both flag {comparison.both:,} payments", ""]
    if is_labelled:
        lines.append(f"{'alerts/day':>10} {'precision':>10} {'recall':>7} {'value':>7} {'average':>8}")
        for name, report, measures, thresholds in (
            (names[0], backtest.report, backtest.measures, backtest.thresholds),
            (names[1], comparison.report, comparison.measures, comparison.thresholds),
        ):
            lines.append(
                f"{measures.at(thresholds.review).alerts_a_day:>10,.1f} {percent(report.precision):>10} "
                f"{percent(report.recall):>7} {percent(report.value_recall):>7} "
                f"{three_digits(measures.average_precision):>8}  {name}"
            )
        lines.append("")
    for name, only in ((names[0], comparison.here), (names[1], comparison.there)):
        lines += _only(name, only, is_labelled=is_labelled)
    return "\n".join(lines).rstrip()


def judged_text(judged: JudgedPayment) -> str:
    """Write one payment, its reasons and its features."""
    assessment, truth = judged.decided.assessment, judged.payment.truth
    reasons = (
        ", ".join(f"{reason.rule_id} {reason.points:+d}" for reason in assessment.reasons) or "no rule held"
    )
    return (
        f"{truth.scenario or 'honest':<18} {assessment.risk_score:>3}  {reasons}\n"
        f"    {msgspec.json.encode(judged.payment.record).decode()}\n"
        f"    {msgspec.json.encode(dict(judged.decided.features)).decode()}"
    )


def _curve(measures: RankingMeasures, thresholds: Thresholds) -> Iterator[str]:
    yield (
        f"{'threshold':<14} {'flagged':>9} {'alerts/day':>11} {'precision':>10} {'recall':>8} {'value recall':>13}"
    )
    for each in shown_thresholds(measures.curve, thresholds):
        yield (
            f"{_threshold(each, thresholds):<14} {each.flagged:>9,} {each.alerts_a_day:>11,.1f} "
            f"{percent(each.precision):>10} {percent(each.recall):>8} {percent(each.value_recall):>13}"
        )


def _alert_curve(measures: RankingMeasures, thresholds: Thresholds) -> Iterator[str]:
    yield f"{'threshold':<14} {'flagged':>9} {'alerts/day':>11}"
    for each in shown_thresholds(measures.curve, thresholds):
        yield f"{_threshold(each, thresholds):<14} {each.flagged:>9,} {each.alerts_a_day:>11,.1f}"


def shown_thresholds(
    curve: Iterable[ThresholdMeasures], thresholds: Thresholds
) -> Iterator[ThresholdMeasures]:
    """Choose what a table shows of a curve: round thresholds, and the ruleset's own."""
    shown = {*SHOWN_THRESHOLDS, thresholds.review, thresholds.block}
    return (each for each in curve if each.threshold in shown)


def _threshold(each: ThresholdMeasures, thresholds: Thresholds) -> str:
    return f"{each.threshold:>5} {threshold_name(each.threshold, thresholds)}"


def threshold_name(threshold: int, thresholds: Thresholds) -> str:
    """Name one of the ruleset's own thresholds; empty for any other."""
    return {thresholds.review: "review", thresholds.block: "block"}.get(threshold, "")


def ranking_lines(measures: RankingMeasures) -> Iterator[str]:
    """Say how well the points rank fraud before honest payments, whatever the threshold."""
    yield (
        f"average precision: {three_digits(measures.average_precision)} "
        f"(a ranking by chance {three_digits(measures.fraud_share)})"
    )
    yield (
        f"card precision at {CARDS_A_DAY}: {three_digits(measures.card_precision)} "
        f"(the best ranking {three_digits(measures.best_card_precision)})"
    )


def learnt_lines(backtest: Backtest) -> Iterator[str]:
    """Say which labels became known to the decisions; no line where none were played."""
    learnt = backtest.learnt
    if learnt is not None:
        yield (
            f"labels known at the end: of {learnt.frauds:,} of {backtest.report.fraud:,} frauds, of {learnt.honest:,} honest payments; "
            f"{learnt.frauds_called_honest:,} frauds called honest, {learnt.let_through:,} payments let through to learn"
        )


def alerts_line(measures: RankingMeasures, thresholds: Thresholds) -> str:
    """Say how much work the alerts are."""
    a_day = measures.at(thresholds.review).alerts_a_day
    per_1000 = 1000 * a_day / measures.users if measures.users else 0.0
    return (
        f"alerts a day {a_day:,.1f}, {per_1000:,.2f} for 1,000 users "
        f"({measures.users:,} users, {measures.days:,} days)"
    )


def _rules(rule_hits: dict[str, tuple[int, int]], *, is_labelled: bool) -> Iterator[str]:
    if is_labelled:
        yield f"{'rule':<38} {'fraud':>7} {'honest':>7}"
        yield from (f"{rule:<38} {fraud:>7,} {honest:>7,}" for rule, (fraud, honest) in rule_hits.items())
    else:
        yield f"{'rule':<38} {'payments':>9}"
        yield from (f"{rule:<38} {fraud + honest:>9,}" for rule, (fraud, honest) in rule_hits.items())


def _only(name: str, only: OnlyFlagged, *, is_labelled: bool) -> Iterator[str]:
    amounts = only.amounts
    fraud = f" ({amounts.fraud:,} fraud)" if is_labelled else ""
    yield f"flagged by {name} alone: {amounts.payments:,} payments{fraud}, {amounts.value:,.0f} in value"
    if only.by_rule:
        yield f"  {'rule':<38} {'payments':>9} {'fraud' if is_labelled else '':>7} {'value':>14}"
    shown: set[str] = set()  # a payment is an example once, of the rule with the most payments
    for difference in only.by_rule:
        amounts = difference.amounts
        fraud = f"{amounts.fraud:,}" if is_labelled else ""
        yield f"  {difference.rule_id:<38} {amounts.payments:>9,} {fraud:>7} {amounts.value:>14,.0f}"
        examples = [each for each in difference.examples if each.transaction_id not in shown]
        shown.update(each.transaction_id for each in examples)
        for each in examples:
            kind = f"  {each.scenario or 'honest'}" if is_labelled else ""
            yield (
                f"      {each.transaction_id}  {each.user_id}  {each.timestamp}  {each.amount}  "
                f"{each.points} against {each.other_points} points{kind}"
            )
    yield ""
