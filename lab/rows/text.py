"""A backtest of stored rows as text for people, within 80 columns but for examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.measures import percent, three_digits
from lab.rows.judged import VALUE_SCALE
from lab.rows.tally import Amounts
from lab.rows.truth import Finding

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from engine.rules.ruleset import Thresholds
    from lab.rows.report import Flagging, RowsReport
    from lab.rows.tally import Example, RowsTally, Side

SHOWN_THRESHOLDS: Final = range(10, 101, 10)
"""Rows of the table along the threshold, beside the ruleset's own."""

MAX_LINES: Final = 12
"""At most so many rulesets, feature sets and kinds of unreadable rows are named."""

NO_LABELS: Final = (
    "No labels: which payments were fraud is not known, so precision and recall are not either.\n"
    "An export of the table labels beside that of the history has them."
)

FINDING_WORDS: Final = {Finding.FRAUD: "fraud", Finding.HONEST: "honest", Finding.UNKNOWN: "not known"}
"""What a payment was, in words."""


def as_text(
    report: RowsReport,
    thresholds: Thresholds,
    name: str,
    lacking: Mapping[str, Container[str]],
    *,
    labels: int,
) -> str:
    """Write a report.

    Parameters
    ----------
    report : RowsReport
        The figures.
    thresholds : Thresholds
        Of the rules that decide again.
    name : str
        What these are called.
    lacking : Mapping[str, Container[str]]
        Feature set to the features that rules or model use and its rows lack, or hold as they were computed otherwise.
    labels : int
        How many payments have a label that counts.
    """
    tally, is_labelled = report.tally, bool(labels)
    lines = [*rows_lines(tally), *_then(tally, lacking), ""]
    lines += [labels_text(tally, labels) if is_labelled else NO_LABELS, ""]
    lines += [*_sides(report, name, is_labelled=is_labelled), ""]
    lines += [*_curve(report, thresholds, is_labelled=is_labelled), ""]
    lines += [*_changes(tally, is_labelled=is_labelled), ""]
    lines += [f"both flag {tally.both:,} payments", ""]
    for title, side in (("now", tally.again), ("then", tally.stored)):
        lines += _only(title, side, is_labelled=is_labelled)
    lines += _rules(tally, is_labelled=is_labelled)
    return "\n".join(lines)


def rows_lines(tally: RowsTally) -> Iterator[str]:
    """Say which rows were read, and which of them could not be."""
    yield (
        f"{tally.rows:,} rows, {tally.all.payments:,} payments decided again, "
        f"{len(tally.users):,} users, {len(tally.days):,} days"
    )
    if tally.repeats or tally.canaries:
        yield f"  {tally.repeats:,} repeat others, {tally.canaries:,} are of the canary"
    if tally.unreadable:
        yield f"  {sum(tally.unreadable.values()):,} cannot be read"
        yield from (f"    {count:>9,}  {problem}" for problem, count in most(tally.unreadable))
        yield f"    the first: {tally.first_unreadable}"


def _then(tally: RowsTally, lacking: Mapping[str, Container[str]]) -> Iterator[str]:
    yield "decided then by"
    yield from (f"  {count:>11,}  ruleset {version}" for version, count in most(tally.rulesets))
    yield from lacking_lines(tally, lacking)


def lacking_lines(tally: RowsTally, lacking: Mapping[str, Container[str]]) -> Iterator[str]:
    """Say of which rows rules or model use a feature that they do not have as it is computed now."""
    for feature_set, count in most(tally.feature_sets):
        if names := lacking.get(feature_set):
            yield f"  {count:>11,}  rows of feature set {feature_set} lack, or hold as computed otherwise:"
            yield f"               {', '.join(sorted(names))}"  # type: ignore[call-overload]


def labels_text(tally: RowsTally, labels: int) -> str:
    """Say how many payments have a label, and how many count in shares."""
    known = tally.all.payments - tally.all.unknown
    return (
        f"{labels:,} payments have a label; of the {known:,} payments that count in shares "
        f"{tally.all.fraud:,} are fraud.\n{tally.all.unknown:,} do not count: blocked and never judged, or too young"
    )


def _sides(report: RowsReport, name: str, *, is_labelled: bool) -> Iterator[str]:
    yield f"{'':<14} {_heads(is_labelled)} {'average' if is_labelled else '':>8}".rstrip()
    for title, side, average in (
        ("then", report.stored, report.stored_average_precision),
        ("now", report.again, report.average_precision),
    ):
        precision = f"{three_digits(average):>8}" if is_labelled else ""
        yield f"{title:<14} {_figures(side, is_labelled)} {precision}".rstrip()
    yield f"now: {name}"


def _curve(report: RowsReport, thresholds: Thresholds, *, is_labelled: bool) -> Iterator[str]:
    yield f"{'threshold':<14} {_heads(is_labelled)}"
    for threshold, name, side in shown_curve(report, thresholds):
        yield f"{threshold:>5} {name:<8} {_figures(side, is_labelled)}"


def shown_curve(report: RowsReport, thresholds: Thresholds) -> Iterator[tuple[int, str, Flagging]]:
    """Choose what a table shows of the curve: round thresholds and the ruleset's own, which have names."""
    shown = {*SHOWN_THRESHOLDS, thresholds.review, thresholds.block}
    names = {thresholds.review: "review", thresholds.block: "block"}
    return (
        (threshold, names.get(threshold, ""), side) for threshold, side in report.curve if threshold in shown
    )


def _heads(is_labelled: bool) -> str:
    shares = f" {'precision':>10} {'recall':>8} {'value':>8}" if is_labelled else ""
    return f"{'flagged':>9} {'alerts/day':>11}{shares}"


def _figures(side: Flagging, is_labelled: bool) -> str:
    shares = f" {percent(side.precision):>10} {percent(side.recall):>8} {percent(side.value_recall):>8}"
    return f"{side.flagged.payments:>9,} {side.alerts_a_day:>11,.1f}{shares if is_labelled else ''}"


def _changes(tally: RowsTally, *, is_labelled: bool) -> Iterator[str]:
    yield f"{'then':<8} {'now':<8} {'payments':>11} {'fraud' if is_labelled else '':>8} {'value':>16}"
    for change, amounts in sorted(tally.changes.items()):
        then, now = change.split()
        yield f"{then:<8} {now:<8} {amounts.payments:>11,} {_fraud(amounts, is_labelled)} {money(amounts.value):>16}"


def _only(title: str, side: Side, *, is_labelled: bool) -> Iterator[str]:
    fraud = f" ({side.only.fraud:,} fraud)" if is_labelled else ""
    yield f"flagged {title} alone: {side.only.payments:,} payments{fraud}, {money(side.only.value)} in value"
    if side.only_by_rule:
        yield f"  {'rule':<38} {'payments':>9} {'fraud' if is_labelled else '':>8} {'value':>14}"
    shown: set[str] = set()  # a payment is an example once, of the rule with the most payments
    by_rule = sorted(side.only_by_rule.items(), key=lambda each: (-each[1].amounts.payments, each[0]))
    for rule_id, difference in by_rule:
        amounts = difference.amounts
        yield f"  {rule_id:<38} {amounts.payments:>9,} {_fraud(amounts, is_labelled)} {money(amounts.value):>14}"
        examples = [each for each in difference.examples if each.transaction_id not in shown]
        shown.update(each.transaction_id for each in examples)
        yield from (_example(each, is_labelled=is_labelled) for each in examples)
    yield ""


def _example(example: Example, *, is_labelled: bool) -> str:
    kind = f"  {FINDING_WORDS[Finding(example.finding)]}" if is_labelled else ""
    return (
        f"      {example.transaction_id}  {example.user_id}  {example.timestamp}  {example.amount}  "
        f"{example.score} against {example.other_score} points{kind}"
    )


def _rules(tally: RowsTally, *, is_labelled: bool) -> Iterator[str]:
    """How often each rule held, then and now."""
    if is_labelled:
        yield f"{'rule':<38} {'then':>9} {'fraud':>8} {'now':>9} {'fraud':>8}"
    else:
        yield f"{'rule':<38} {'then':>9} {'now':>9}"
    none = Amounts()
    for rule_id in sorted({*tally.stored.rules, *tally.again.rules}):
        sides = [side.rules.get(rule_id, none) for side in (tally.stored, tally.again)]
        yield f"{rule_id:<38} " + " ".join(
            f"{amounts.payments:>9,}" + (f" {amounts.fraud:>8,}" if is_labelled else "") for amounts in sides
        )


def _fraud(amounts: Amounts, is_labelled: bool) -> str:
    return f"{amounts.fraud if is_labelled else '':>8}"


def money(value: int) -> str:
    """Write an amount of a tally in units of the base currency."""
    return f"{value / VALUE_SCALE:,.0f}"


def most(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Give the largest counts, at most :data:`MAX_LINES`."""
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:MAX_LINES]
