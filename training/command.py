"""A training from its payments to the model's document, its card, and how it ranks the weeks after it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from contract.clock import time_text
from contract.errors import MappingError
from engine.errors import InvalidModelError, InvalidRulesetError
from engine.model.tables import Model, read_model
from engine.rules.ruleset import parse_ruleset
from lab.datasets import DatasetError
from lab.models import kept_model
from training.baseline import write_baseline
from training.card import write_card
from training.columns import columns
from training.errors import TrainingError
from training.evaluation import WEEK_S, WEEKS, LaterPayments
from training.figures import evaluate, side_lines
from training.from_file import Source
from training.from_tables import ModelOf, StoredPayments
from training.options import window_of
from training.outcome import Outcome
from training.point_in_time import PointInTime, TrainingSet, Window
from training.publish import document_of, fit_elsewhere

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from engine.rules.ruleset import Ruleset
    from lab.backtest.labels import LabelPlan
    from lab.backtest.stream import PaymentStream
    from training.figures import Evaluation
    from training.tables import Tables


def run(options: argparse.Namespace, train: Callable[[Ruleset], Outcome]) -> None:
    """Read the ruleset, train, and print what came of it; end with a sentence if that is impossible."""
    try:
        ruleset = parse_ruleset(options.rules.read_text(), str(options.rules), kept_model).without_model()
        outcome = train(ruleset)
    except (
        InvalidRulesetError,
        InvalidModelError,
        DatasetError,
        MappingError,
        TrainingError,
        OSError,
    ) as error:
        sys.exit(str(error))
    print("\n".join(outcome.lines))
    if options.page is not None:
        # Here, because Jinja2 is not where a training in AWS runs.
        from lab.pages.html import write_page
        from training.page import training_page

        write_page(training_page(outcome), options.page, datetime.now(UTC))
        print(f"report: {options.page}")


def train_on_file(
    options: argparse.Namespace, ruleset: Ruleset, payments: PaymentStream, plan: LabelPlan
) -> Outcome:
    """Train once, or once a week, on payments in their order; then decide on the weeks after it.

    Parameters
    ----------
    options : Namespace
        Of :mod:`training.options`, with ``until``.
    ruleset : Ruleset
        The rules, without a model.
    payments : PaymentStream
        With their truth.
    plan : LabelPlan
        When it becomes known.

    Returns
    -------
    Outcome
        What to print and to show.
    """
    windows = _windows(options, options.until, max(each.days for each in plan.delays))
    collectors = [PointInTime(window, columns()) for window in windows]
    source = Source(payments.payments, ruleset, plan, collectors)
    later = LaterPayments(windows[0].as_of_s, source.users)
    notes: list[str] = []
    for window, collected in zip(windows, collectors, strict=True):
        source.advance(window.as_of_s)
        model = _trained(options, collected.labelled(), ruleset, window, payments.source)
        notes += _summary(model, options.out)
        end_s = window.as_of_s + (1 if options.weekly else WEEKS) * WEEK_S
        source.advance(end_s, partial(later.see, model=model))
    return _evaluated(options, model, later, payments.source, notes)


def train_on_tables(
    options: argparse.Namespace, ruleset: Ruleset, tables: Tables, until: datetime
) -> Outcome:
    """Train once, or once a week, on stored rows, whatever their order; then score the weeks after it.

    Parameters
    ----------
    options : Namespace
        Of :mod:`training.options`, with ``label_delay_days``.
    ruleset : Ruleset
        The rules beside which the model will decide, without a model.
    tables : Tables
        The rows.
    until : datetime
        Train as of then, UTC.

    Returns
    -------
    Outcome
        What to print and to show.
    """
    windows = _windows(options, until, options.label_delay_days)
    collectors = [PointInTime(window, columns()) for window in windows]
    payments = StoredPayments(tables, ruleset)
    payments.collect(collectors)
    others = _others(payments)
    source = ", ".join([tables.name, *others])
    notes: list[str] = [*others]
    models: list[ModelOf] = []
    for window, collected in zip(windows, collectors, strict=True):
        model = _trained(options, collected.labelled(), ruleset, window, source)
        notes += _summary(model, options.out)
        end_s = window.as_of_s + (1 if options.weekly else WEEKS) * WEEK_S
        models.append(ModelOf(model, window.as_of_s, end_s))
    later = LaterPayments(windows[0].as_of_s, payments.users)
    payments.evaluate(later, models)
    return _evaluated(options, models[-1].model, later, tables.name, notes)


def _windows(options: argparse.Namespace, until: datetime, delay_days: float) -> list[Window]:
    times = [until + timedelta(weeks=week) for week in range(WEEKS if options.weekly else 1)]
    return [window_of(at, options.train_days, delay_days) for at in times]


def _trained(
    options: argparse.Namespace, training_set: TrainingSet, ruleset: Ruleset, window: Window, source: str
) -> Model:
    """Fit a model, write its document, and read it back."""
    if not len(training_set.is_fraud):
        begin, end = (_minute(each) for each in window[:2])
        raise TrainingError(
            f"{source}: no payments from {begin} to {end}, the days whose labels are known by then"
        )
    fit, unseen = fit_elsewhere(options.python, training_set)
    as_of = datetime.fromtimestamp(window.as_of_s, UTC)
    data = document_of(fit, unseen, training_set, ruleset, as_of)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(data)
    model = read_model(data, str(options.out))
    write_baseline(options.out, model, training_set)
    return model


def _evaluated(
    options: argparse.Namespace, model: Model, later: LaterPayments, source: str, notes: list[str]
) -> Outcome:
    """Write the card, and the figures of the payments after the first training."""
    columns_of = later.columns()
    evaluation = None if columns_of is None else evaluate(columns_of)
    notes = [*notes]
    if not options.weekly:
        notes.append(f"card: {_card(options.out, model, source, evaluation)}")
    if evaluation is None:
        notes.append(f"{source} has no payments after {_minute(later.begin_s)} to evaluate it on")
        return Outcome(notes, notes, source, model, None)
    if later.every > 1:
        notes.append(
            f"evaluated on one in {later.every} users, drawn by their ids; alerts a day are of these"
        )
    return Outcome([*notes, "", *side_lines(evaluation)], notes, source, model, evaluation)


def _card(out: Path, model: Model, source: str, evaluation: Evaluation | None) -> Path:
    card = out.with_suffix(".md")
    write_card(
        card, model, out.stat().st_size, [(source, evaluation)], f"Made by `make train` from {source}."
    )
    return card


def _summary(model: Model, path: Path) -> list[str]:
    document, training = model.document, model.document.training
    size = path.stat().st_size
    made_of = f"{size:,} bytes, {len(document.features)} features, {len(document.terms)} terms"
    learnt = f"{training.payments:,} payments with {training.frauds:,} frauds, {training.left_out:,} blocked and never judged"
    days = f"{training.first[:16]}Z to {training.last[:16]}Z, labels as of {training.labels_until[:16]}Z"
    return [f"{path}: model {model.sha256}", f"  {made_of}", f"  {learnt}", f"  {days}"]


def _others(payments: StoredPayments) -> list[str]:
    if not payments.others:
        return []
    return [f"{payments.others:,} payments left out whose features another version of the system computed"]


def _minute(at_s: int) -> str:
    return f"{time_text(datetime.fromtimestamp(at_s, UTC))[:16]}Z"
