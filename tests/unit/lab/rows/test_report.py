"""The figures of stored rows are those that the backtest's own measures give for the same decisions."""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from contract.scored import Decision
from contract.truth import Truth
from engine.decided import Assessment
from engine.profile.fingerprints import key_hash
from engine.rules.model_section import RulesetModel
from engine.rules.ruleset import Thresholds
from lab.backtest.outcomes import Outcomes, Users
from lab.backtest.ranking import average_precision as ranked_average_precision
from lab.backtest.ranking import measure
from lab.pages.page import from_json, to_json
from lab.rows.page import rows_page
from lab.rows.report import average_precision, differing_features, report_of
from lab.rows.tally import Amounts, RowsTally
from lab.rows.text import as_text
from lab.rows.truth import Finding
from tests.support.model_samples import make_model
from tests.support.report_pages import HOSTILE, missing_figures, problems, read_page
from tests.support.rule_samples import ruleset

if TYPE_CHECKING:
    from lab.backtest.ranking import RankingMeasures

THRESHOLDS = Thresholds(review=50, block=80)
MINUTE_MS = 60_000


def decided(points: int) -> Assessment:
    score = min(max(points, 0), 100)
    decision = Decision.BLOCK if score >= 80 else Decision.REVIEW if score >= 50 else Decision.APPROVE
    return Assessment(score, decision, (), (), (), points)


def drawn(seed: int, payments: int = 600) -> tuple[RowsTally, RankingMeasures]:
    """Payments of a few users, counted in both ways; every third share of them of which nothing is known is in the tally alone."""
    draws = Random(seed)
    tally, outcomes, users = RowsTally(), Outcomes(), Users()
    for _ in range(payments):
        user, at_ms = f"u-{draws.randrange(40)}", draws.randrange(20 * 1_440) * MINUTE_MS
        points, value = draws.choice([-20, 0, 0, 3, 10, 49, 50, 50, 75, 90, 140]), draws.randrange(1, 500)
        finding = draws.choice([Finding.FRAUD, Finding.HONEST, Finding.HONEST])
        tally.all.count(finding, value * 10_000)
        tally.again.count(decided(points), key_hash(user), at_ms, finding, value * 10_000, 5)
        tally.stored.count(decided(points), key_hash(user), at_ms, finding, value * 10_000)
        tally.days.add(at_ms // 86_400_000)
        scenario = "fraud" if finding is Finding.FRAUD else None
        outcomes.add(users.number(user), at_ms, Truth(scenario, None, float(value)), [points])
    return tally, measure(outcomes, users, 0, {50, 80})


@pytest.mark.parametrize("seed", range(5))
def test_flagged_alerts_and_shares_are_those_of_the_backtest_at_every_threshold(seed: int) -> None:
    tally, measures = drawn(seed)

    report = report_of(tally, THRESHOLDS)

    assert [threshold for threshold, _ in report.curve] == [each.threshold for each in measures.curve]
    for (_, found), expected in zip(report.curve, measures.curve, strict=True):
        assert found.flagged.payments == expected.flagged
        assert found.alerts_a_day == pytest.approx(expected.alerts_a_day)
        assert found.precision == pytest.approx(expected.precision)
        assert found.recall == pytest.approx(expected.recall)
        assert found.value_recall == pytest.approx(expected.value_recall)
    assert report.again == dict(report.curve)[50]
    assert report.stored == report.again
    assert report.average_precision == pytest.approx(measures.average_precision)


def test_what_is_not_known_is_in_no_share() -> None:
    known, _ = drawn(1)
    with_unknown, _ = drawn(1)
    for side in (with_unknown.again, with_unknown.stored):
        for points in (0, 60, 140):
            side.count(decided(points), 1, 0, Finding.UNKNOWN, 10_000)

    found, expected = report_of(with_unknown, THRESHOLDS), report_of(known, THRESHOLDS)

    assert found.again.flagged.payments == expected.again.flagged.payments + 2
    assert found.again.precision == expected.again.precision
    assert found.again.recall == expected.again.recall
    assert found.average_precision == expected.average_precision


def test_average_precision_of_counts_is_that_of_payments() -> None:
    draws = np.random.default_rng(5)
    points, is_fraud = draws.integers(0, 8, 500), draws.random(500) < 0.2
    counts: dict[int, Amounts] = {}
    for score, fraud in zip(points.tolist(), is_fraud.tolist(), strict=True):
        counts.setdefault(score, Amounts()).count(Finding.FRAUD if fraud else Finding.HONEST, 0)

    assert average_precision(counts) == pytest.approx(ranked_average_precision(points, is_fraud))
    assert average_precision({}) is None
    assert average_precision({1: Amounts(payments=3)}) is None


def test_features_that_old_rows_lack_are_named_where_rules_or_the_model_use_them() -> None:
    rules = ruleset(
        {"id": "held", "when": "amount_base > 99.0"},
        {"id": "lacked", "when": "merchant_frauds_30d > 0 || fraud_probability > 0.5"},
    )
    tally = RowsTally(feature_sets={"861800": 3})

    assert differing_features(tally, rules) == {"861800": {"merchant_frauds_30d"}}
    with_model = rules.with_model(RulesetModel(make_model(), ()))
    assert differing_features(tally, with_model)["861800"] >= {
        "merchant_frauds_30d",
        "is_new_device",
        "channel",
    }


def test_the_text_says_what_was_read_decided_and_compared() -> None:
    tally, _ = drawn(3)
    tally.rows, tally.repeats, tally.unreadable, tally.first_unreadable = (
        603,
        2,
        {"a problem": 1},
        "f: a problem",
    )
    tally.rulesets, tally.feature_sets = {"1+abc": 600}, {"861800": 600}
    tally.changes = {"approve review": Amounts(7, 3, 0, 70_000, 30_000)}

    text = as_text(report_of(tally, THRESHOLDS), THRESHOLDS, "ruleset 2", {"861800": {"channel"}}, labels=9)

    assert "603 rows, 600 payments decided again" in text
    assert "2 repeat others" in text
    assert re.search(r"1 cannot be read\n +1  a problem\n +the first: f: a problem", text)
    assert re.search(r"600  ruleset 1\+abc", text)
    assert re.search(r"feature set 861800 lack.*\n +channel", text)
    assert re.search(r"approve +review +7 +3 +7", text)
    assert re.search(r"^then .*%", text, re.MULTILINE)
    assert re.search(r"50 review .*%", text)
    assert max(map(len, text.splitlines())) <= 100


def test_without_labels_no_share_is_claimed() -> None:
    tally, _ = drawn(3)

    text = as_text(report_of(tally, THRESHOLDS), THRESHOLDS, "ruleset 2", {}, labels=0)

    assert "No labels" in text
    assert "%" not in text


@pytest.mark.parametrize("labels", [0, 9])
def test_every_figure_of_the_text_is_on_the_page(labels: int) -> None:
    tally, _ = drawn(3)
    tally.rows, tally.repeats, tally.unreadable = 603, 2, {"a problem": 1}
    tally.first_unreadable = HOSTILE
    tally.rulesets, tally.feature_sets = {"1+abc": 600}, {"861800": 600}
    tally.changes = {"approve review": Amounts(7, 3, 0, 70_000, 30_000)}
    report, lacking = report_of(tally, THRESHOLDS), {"861800": frozenset({"channel"})}

    page = from_json(
        to_json(rows_page(report, THRESHOLDS, "ruleset 2", lacking, labels=labels, read="exports"))
    )

    text = as_text(report, THRESHOLDS, "ruleset 2", lacking, labels=labels).replace(HOSTILE, "")
    assert missing_figures(text, page) == []
    assert problems(page) == []
    assert f"the first: {HOSTILE}" in read_page(page).text
