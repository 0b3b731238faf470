"""Two rulesets beside each other, as a part of a backtest's page. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.measures import percent, three_digits
from lab.pages.page import Section, Text, figures, table, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.backtest.comparing import Comparison, OnlyFlagged
    from lab.backtest.run import Backtest
    from lab.pages.page import Block


def comparison_section(
    comparison: Comparison, names: tuple[str, str], backtest: Backtest, *, is_labelled: bool
) -> Section:
    """Show what each of two rulesets flags that the other does not; arguments as those of the printed text."""
    blocks: list[Block] = [Text(f"Both flag {comparison.both:,} payments.")]
    if is_labelled:
        rows = [
            (
                name,
                f"{measures.at(thresholds.review).alerts_a_day:,.1f}",
                percent(report.precision),
                percent(report.recall),
                percent(report.value_recall),
                three_digits(measures.average_precision),
            )
            for name, report, measures, thresholds in (
                (names[0], backtest.report, backtest.measures, backtest.thresholds),
                (names[1], comparison.report, comparison.measures, comparison.thresholds),
            )
        ]
        heads = figures("alerts a day", "precision", "recall", "value recall", "average precision")
        blocks.append(table("Both rulesets", (*words("ruleset"), *heads), rows))
    for name, only in ((names[0], comparison.here), (names[1], comparison.there)):
        blocks += _only(name, only, is_labelled=is_labelled)
    return Section(f"Compared with {names[1]}", tuple(blocks))


def _only(name: str, only: OnlyFlagged, *, is_labelled: bool) -> Iterator[Block]:
    amounts = only.amounts
    fraud = f" ({amounts.fraud:,} fraud)" if is_labelled else ""
    yield Text(
        f"Flagged by {name} alone: {amounts.payments:,} payments{fraud}, {amounts.value:,.0f} in value in the base currency."
    )
    if not only.by_rule:
        return
    rules, examples = [], []
    shown: set[str] = set()  # a payment is an example once, of the rule with the most payments
    for difference in only.by_rule:
        amounts = difference.amounts
        known = (f"{amounts.fraud:,}",) if is_labelled else ()
        rules.append((difference.rule_id, f"{amounts.payments:,}", *known, f"{amounts.value:,.0f}"))
        for each in difference.examples:
            if each.transaction_id not in shown:
                shown.add(each.transaction_id)
                kind = (each.scenario or "honest",) if is_labelled else ()
                points = (f"{each.points}", f"{each.other_points}")
                who = (each.transaction_id, each.user_id, each.timestamp, each.amount)
                examples.append((*who, *points, difference.rule_id, *kind))
    fraud_column = figures("fraud") if is_labelled else ()
    yield table(
        f"Flagged by {name} alone, by rule",
        (*words("rule"), *figures("payments"), *fraud_column, *figures("value")),
        rules,
    )
    yield table(
        f"Flagged by {name} alone, those with the most money",
        (
            *words("transaction", "user", "time"),
            *figures("amount", "points", "points of the other"),
            *words("rule", *(("what it was",) if is_labelled else ())),
        ),
        examples,
    )
