from __future__ import annotations

from typing import TYPE_CHECKING

from lab.backtest import run_backtest
from lab.backtest.comparing import Amounts, Comparison
from lab.backtest.printing import comparison_text
from tests.support.backtest_samples import RULES, ruleset, sent

if TYPE_CHECKING:
    from contract.truth import SentPayment
    from lab.backtest import Backtest

ONLINE = """
version: "2"
base_currency: USD
thresholds: {review: 30, block: 90}
rules:
  - {id: online, when: "channel == 'online'", points: 25, reason: "Online."}
  - {id: above_50, when: amount_base > 50.0, points: 10, reason: "Above 50."}
  - {id: small, when: amount_base < 5.0, points: -20, reason: "Small."}
"""
"""Flags what is above 50 USD online."""

HISTORY = [
    sent(1, "150", "stolen_card"),
    sent(2, "120"),
    sent(3, "200", "stolen_card", channel="online"),
    sent(4, "60", "stolen_card", channel="online"),
    sent(5, "70", channel="online"),
    sent(6, "20", channel="online"),
    sent(7, "3", channel="online"),
]


def compared(history: list[SentPayment]) -> tuple[Backtest, Comparison]:
    backtest = run_backtest(history, ruleset(), against=ruleset(ONLINE))
    assert backtest.comparison is not None
    return backtest, backtest.comparison


def test_each_side_has_what_it_flags_alone_by_rule_with_the_money() -> None:
    _, comparison = compared(HISTORY)

    assert comparison.both == 1  # t3
    assert comparison.here.amounts == Amounts(payments=2, fraud=1, value=270.0, fraud_value=150.0)
    assert comparison.there.amounts == Amounts(payments=2, fraud=1, value=130.0, fraud_value=60.0)
    assert [(each.rule_id, each.amounts.payments) for each in comparison.here.by_rule] == [("large", 2)]
    assert [(each.rule_id, each.amounts.payments) for each in comparison.there.by_rule] == [
        ("above_50", 2),
        ("online", 2),
    ]


def test_examples_are_the_payments_with_the_most_money() -> None:
    _, comparison = compared([sent(n, str(100 + n), user_id=f"u{n}") for n in (1, 5, 3, 2, 4)])

    (large,) = comparison.here.by_rule
    assert [each.transaction_id for each in large.examples] == ["t5", "t4", "t3"]
    first = large.examples[0]
    assert (first.user_id, first.amount, first.points, first.other_points) == ("u5", "105 USD", 50, 10)


def test_rules_that_speak_for_a_payment_flag_nothing() -> None:
    small_and_flagged = RULES.replace("amount_base > 100.0", "amount_base < 5.0")
    kind = small_and_flagged + '  - {id: kind, when: amount_base < 5.0, points: -1, reason: "Kind."}\n'

    backtest = run_backtest(
        [sent(1, "3")], ruleset(kind.replace("points: 50", "points: 60")), against=ruleset(ONLINE)
    )

    assert backtest.comparison is not None
    assert [each.rule_id for each in backtest.comparison.here.by_rule] == ["large"]


def test_the_other_ruleset_has_the_figures_of_a_run_of_its_own() -> None:
    _, comparison = compared(HISTORY)

    alone = run_backtest(HISTORY, ruleset(ONLINE))
    assert comparison.report == alone.report
    assert comparison.measures.average_precision == alone.measures.average_precision
    assert comparison.measures.card_precision == alone.measures.card_precision


def test_the_ruleset_itself_decides_as_without_another() -> None:
    backtest, _ = compared(HISTORY)

    alone = run_backtest(HISTORY, ruleset())
    assert (backtest.report, backtest.rule_hits) == (alone.report, alone.rule_hits)
    assert alone.comparison is None


def test_the_text_names_both_rulesets_and_shows_counts_money_and_examples() -> None:
    backtest, comparison = compared(HISTORY)

    text = comparison_text(comparison, ("mine.yaml", "other.yaml"), backtest)

    for line in (
        "both flag 1 payments",
        "flagged by mine.yaml alone: 2 payments (1 fraud), 270 in value",
        "flagged by other.yaml alone: 2 payments (1 fraud), 130 in value",
        # Average precision: 2/3 of the recall at 2/3, and the rest at 3/7; 2/3 at 2/3, and the rest at 3/6.
        f"{'1.0':>10} {'66.7%':>10} {'66.7%':>7} {'85.4%':>7} {'0.587':>8}  mine.yaml",
        f"{'1.0':>10} {'66.7%':>10} {'66.7%':>7} {'63.4%':>7} {'0.611':>8}  other.yaml",
        f"  {'above_50':<38} {2:>9} {1:>7} {130:>14}",
        "      t1  u  2026-03-31T18:31:00.000000Z  150 USD  50 against 10 points  stolen_card",
    ):
        assert line in text.splitlines()


def test_the_text_shows_a_payment_once_however_many_rules_gave_it_points() -> None:
    backtest, comparison = compared(HISTORY)

    lines = comparison_text(comparison, ("mine.yaml", "other.yaml"), backtest).splitlines()

    assert [line.split()[0] for line in lines if line.startswith("      ") and "against" in line] == [
        "t1", "t2", "t5", "t4",
    ]  # fmt: skip


def test_without_labels_the_text_says_nothing_of_fraud() -> None:
    backtest, comparison = compared(HISTORY)

    text = comparison_text(comparison, ("mine.yaml", "other.yaml"), backtest, is_labelled=False)

    assert "flagged by mine.yaml alone: 2 payments, 270 in value" in text
    for word in ("fraud", "recall", "honest", "stolen_card"):
        assert word not in text
