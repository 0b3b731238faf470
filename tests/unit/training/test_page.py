"""The page of a training has every figure of the text and of the card, and the curves of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.model.tables import read_model
from lab.pages.page import Plots
from tests.support.model_samples import model_document
from tests.support.report_pages import HOSTILE, missing_figures, problems, read_page
from training.card import write_card
from training.evaluation import Later
from training.figures import MEAN, Evaluation, evaluate, side_lines
from training.outcome import Outcome
from training.page import training_page

if TYPE_CHECKING:
    from pathlib import Path

PAYMENTS = 400


def later(weeks: int = 3) -> Later:
    """Payments of so many weeks, a tenth of them fraud, which the model ranks better than the rules do."""
    draw = np.random.default_rng(5)
    day = np.sort(draw.integers(0, 7 * weeks, PAYMENTS))
    is_fraud = draw.random(PAYMENTS) < 0.1
    points = draw.integers(0, 100, PAYMENTS) + 30 * is_fraud
    probability = np.clip(0.05 + 0.5 * is_fraud + draw.normal(0, 0.2, PAYMENTS), 0.0002, 0.9998)
    said = np.rint(probability * 10_000).astype(np.int64)
    return Later(
        week=day // 7,
        day=day,
        user=draw.integers(0, 50, PAYMENTS),
        is_fraud=is_fraud,
        value=draw.lognormal(3, 1, PAYMENTS),
        amount=draw.lognormal(3, 1, PAYMENTS),
        account_age_days=draw.integers(0, 400, PAYMENTS).astype(np.float64),
        country=np.where(draw.random(PAYMENTS) < 0.3, HOSTILE, "DE"),
        scenario=np.where(is_fraud, np.where(day % 2, HOSTILE, "stolen_card"), ""),
        probability=probability,
        scores={"rules": points, "model": said, "both": points + said // 100},
        tie_break=draw.integers(0, 2**32, 50).astype(np.uint64),
    )


def outcome(evaluation: Evaluation | None, **changes: Any) -> Outcome:
    notes = ["m.json: model 1234", "  17,517 bytes, 36 features, 55 terms"]
    model = read_model(model_document(**changes), "m.json")
    lines = [*notes, "", *side_lines(evaluation)] if evaluation is not None else notes
    return Outcome(lines, notes, "payments.csv", model, evaluation)


def test_every_figure_of_the_text_and_of_the_card_is_on_the_page(tmp_path: Path) -> None:
    evaluation = evaluate(later())
    found = outcome(evaluation, proposed_points=[[0.25, 17], [0.5, 43]])
    write_card(tmp_path / "m.md", found.model, 17_517, [("payments.csv", evaluation)], "About.")
    card = (tmp_path / "m.md").read_text(encoding="utf-8")

    page = training_page(found)

    measured = card[card.index("## Weeks after") : card.index("## Limits")].replace(HOSTILE, "")
    assert missing_figures("\n".join([*found.lines, measured]), page) == []
    assert missing_figures(card[card.index("## In a ruleset") : card.index("## Weeks after")], page) == []
    assert problems(page) == []


def test_a_country_and_a_kind_of_any_name_are_text_on_the_page() -> None:
    shown = read_page(training_page(outcome(evaluate(later())))).text

    assert HOSTILE in shown
    assert f"country {HOSTILE}" in shown


def test_the_answer_compares_rules_model_and_both_over_all_weeks() -> None:
    evaluation = evaluate(later())
    means = {
        each.side: f"{each.measures.average_precision:.3f}" for each in evaluation.sides if each.week == MEAN
    }

    answer = training_page(outcome(evaluation)).answer

    assert (
        f"{means['rules']} by the rules, {means['model']} by the model, and {means['both']} by both" in answer
    )


def test_the_mean_of_one_week_is_that_week() -> None:
    evaluation = evaluate(later(weeks=1))

    assert [each.week for each in evaluation.sides] == ["1", "1", "1"]
    assert evaluation.overall("model") == evaluation.sides[1].measures


def test_the_mean_of_the_weeks_is_the_mean_of_each_measure() -> None:
    evaluation = evaluate(later())

    weeks = [each.measures for each in evaluation.sides if each.side == "both" and each.week != MEAN]
    mean = evaluation.overall("both")
    assert len(weeks) == 3
    assert mean.card_precision == pytest.approx(np.mean([each.card_precision for each in weeks]))
    assert mean.alerts[60].value_recall == pytest.approx(
        np.mean([each.alerts[60].value_recall for each in weeks])
    )


def test_a_model_without_later_payments_has_a_page_that_says_so() -> None:
    page = training_page(outcome(None))

    assert page.answer == "That is not known: the data have no payments after the training."
    assert problems(page) == []


def test_each_strong_term_is_a_curve_or_a_grid_with_its_log_odds_in_words() -> None:
    found = outcome(None)

    page = training_page(found)

    (plots,) = (block for section in page.sections for block in section.blocks if isinstance(block, Plots))
    one, two, *_ = plots.plots
    assert (
        one.alternative
        == "Log-odds by amount_base: to 10 -1.00, to 100 +0.00, to 1000 +1.00, above 1000 +3.00"
    )
    assert [stroke.css for stroke in one.drawing.strokes][-1] == "line line-1"
    assert [box.title for box in two.drawing.boxes] == [
        "is_new_device to 0.5, amount_base to 100: -0.50",
        "is_new_device to 0.5, amount_base above 100: +0.00",
        "is_new_device above 0.5, amount_base to 100: +0.50",
        "is_new_device above 0.5, amount_base above 100: +2.00",
    ]
