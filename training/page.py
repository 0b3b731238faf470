"""What came of a training as a page, with the model's calibration and its strongest terms as curves. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.measures import three_digits
from lab.pages.drawing import Axis, Line, grid_plot, line_plot, step_plot
from lab.pages.page import (
    Code,
    Fact,
    Listing,
    Page,
    Plot,
    Plots,
    Section,
    Text,
    figures,
    sections,
    table,
    words,
)
from training.card import described, points_text
from training.drawing import TERMS_SHOWN, bin_names
from training.evaluation import SIDES
from training.figures import (
    CALIBRATION_HEADS,
    KIND_ALERTS,
    KIND_HEADS,
    MEAN,
    PART_HEADS,
    SIDE_HEADS,
    calibration_cells,
    kind_cells,
    part_cells,
    side_cells,
)

if TYPE_CHECKING:
    from engine.model.document import Term
    from engine.model.tables import Model
    from training.figures import Evaluation
    from training.outcome import Outcome

LEAST: Final = 1e-4
"""The lower end of the calibration's axes, which are logarithmic."""


def training_page(outcome: Outcome) -> Page:
    """Show how a model ranks the payments after its training, and what it learnt.

    Parameters
    ----------
    outcome : Outcome
        Of the training.
    """
    evaluation, document = outcome.evaluation, outcome.model.document
    return Page(
        title="Does the model find what the rules miss?",
        answer=_answer(evaluation),
        facts=(
            Fact("payments it learnt from", f"{document.training.payments:,}"),
            Fact("of them known fraud", f"{document.training.frauds:,}"),
            Fact("features and terms", f"{len(document.features)} and {len(document.terms)}"),
        ),
        sections=sections(
            None if evaluation is None else _weeks(evaluation),
            None if evaluation is None else _kinds(evaluation),
            None if evaluation is None else _calibration(evaluation),
            None if evaluation is None else _parts(evaluation),
            _terms(outcome.model),
            Section("What it was made from", (Listing("", tuple(line.strip() for line in outcome.notes)),)),
            _in_a_ruleset(outcome.model),
        ),
        made_by=f"Made by make train from {outcome.source}.",
    )


def _answer(evaluation: Evaluation | None) -> str:
    if evaluation is None:
        return "That is not known: the data have no payments after the training."
    ranks = {side: three_digits(evaluation.overall(side).average_precision) for side in SIDES}
    return (
        f"Over the {evaluation.payments:,} payments after the training, {evaluation.frauds:,} of them fraud, the average precision is "
        f"{ranks['rules']} by the rules, {ranks['model']} by the model, and {ranks['both']} by both together. 1 is the best."
    )


def _weeks(evaluation: Evaluation) -> Section:
    rows = [side_cells(each) for each in evaluation.sides]
    found = table(
        "Each side by week",
        (*words(*SIDE_HEADS[:2]), *figures(*SIDE_HEADS[2:])),
        rows,
        "An alert is a user on a day. Both are the points of rules and model, added up.",
    )
    weeks = [each for each in evaluation.sides if each.week != MEAN]
    lines = [
        Line(
            side, [(float(each.week), each.measures.average_precision) for each in weeks if each.side == side]
        )
        for side in SIDES
    ]
    last = max(float(each.week) for each in weeks)
    if last == 1:
        return Section("The weeks after the training", (found,))
    plot = Plot(
        line_plot(Axis("week after the training", 1, last), Axis("average precision", 0, 1), lines),
        "Three lines: average precision of rules, model and both by week; the table below has the figures.",
        "Average precision by week.",
    )
    return Section("The weeks after the training", (plot, found))


def _kinds(evaluation: Evaluation) -> Section | None:
    if not evaluation.kinds:
        return None
    found = table(
        f"Share of the payments whose user is alerted, with {KIND_ALERTS} alerts a day",
        (*words(KIND_HEADS[0]), *figures(*KIND_HEADS[1:])),
        map(kind_cells, evaluation.kinds),
    )
    return Section("Kinds of fraud", (found,))


def _calibration(evaluation: Evaluation) -> Section:
    shown = [(each.said, each.was) for each in evaluation.calibration if each.said > 0 and each.was > 0]
    x = Axis("probability said", LEAST, 1, is_log=True)
    y = Axis("share that was fraud", LEAST, 1, is_log=True)
    plot = Plot(
        line_plot(x, y, [Line("what was", shown)], diagonal=True),
        "A line: the share that was fraud by the probability that the model said; the table below has the figures.",
        "The nearer to the diagonal, the truer is what the model says. Steps without fraud are left out.",
    )
    found = table(
        "By probability", figures(*CALIBRATION_HEADS), map(calibration_cells, evaluation.calibration)
    )
    return Section("Is its probability true?", (plot, found))


def _parts(evaluation: Evaluation) -> Section:
    columns = (*words(PART_HEADS[0]), *figures(*PART_HEADS[1:]))
    return Section("Parts of the payments", (table("By part", columns, map(part_cells, evaluation.parts)),))


def _terms(model: Model) -> Section:
    terms = model.document.terms[:TERMS_SHOWN]
    plots = tuple(_term(place, term) for place, term in enumerate(terms, 1))
    legend = Text("Above 0 speaks for fraud, below 0 against it. A grid is red above 0 and blue below it.")
    return Section(f"Its {len(plots)} strongest terms", (legend, Plots(plots)))


def _term(place: int, term: Term) -> Plot:
    caption = f"{place}. {described(term).replace('`', '')}"
    if len(term.axes) == 1:
        (axis,) = term.axes
        names = bin_names(axis)
        ranges = ", ".join(f"{name} {odds:+.2f}" for name, odds in zip(names, term.log_odds, strict=True))
        return Plot(
            step_plot(names, term.log_odds, "log-odds"), f"Log-odds by {axis.feature}: {ranges}", caption
        )
    first, second = term.axes
    rows = [term.log_odds[at : at + second.bins] for at in range(0, len(term.log_odds), second.bins)]
    drawing = grid_plot((second.feature, bin_names(second)), (first.feature, bin_names(first)), rows)
    return Plot(
        drawing, f"A grid of the log-odds by {first.feature} and {second.feature}: {caption}", caption
    )


def _in_a_ruleset(model: Model) -> Section:
    text = f"model:\n  sha256: {model.sha256}\n  points: {points_text(model)}\n"
    return Section(
        "In a ruleset", (Code("These lines let a ruleset use it, with the points that it proposes.", text),)
    )
