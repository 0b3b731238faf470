"""Train a model on payments whose labels are known: ``python -m training``, which ``make train`` runs."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contract.clock import time_text
from contract.errors import MappingError
from engine.errors import InvalidModelError, InvalidRulesetError
from engine.model.tables import Model, read_model
from engine.rules.ruleset import parse_ruleset
from lab.backtest import stream
from lab.backtest.__main__ import SIMULATION_ENDS_AT, blocked_policy
from lab.backtest.labels import MAX_DELAY_DAYS, Delay, LabelPlan, read_delays
from lab.backtest.printing import NO_LABELS
from lab.datasets import DatasetError
from lab.models import MODELS, kept_model
from lab.progress import Progress
from training.baseline import write_baseline
from training.card import write_card
from training.columns import columns
from training.evaluation import WEEK_S, WEEKS, LaterPayments, as_lines
from training.from_file import Source
from training.point_in_time import PointInTime, TrainingSet, Window
from training.publish import TrainingError, document_of, fit_elsewhere

if TYPE_CHECKING:
    from engine.rules.ruleset import Ruleset
    from lab.backtest.stream import PaymentStream

PYTHON: Final = Path(".venv-train/bin/python")
"""Of the environment that has scikit-learn."""

TRAIN_DAYS: Final = 28
LABEL_DELAY_DAYS: Final = 7.0


def main(arguments: list[str] | None = None) -> None:
    """Train a model, write its document, and print how it ranks the weeks after it."""
    options = _options(arguments)
    try:
        ruleset = parse_ruleset(options.rules.read_text(), str(options.rules), kept_model).without_model()
        lines = _train(options, ruleset)
    except (
        InvalidRulesetError,
        InvalidModelError,
        DatasetError,
        MappingError,
        TrainingError,
        OSError,
    ) as error:
        sys.exit(str(error))
    print("\n".join(lines))


def _train(options: argparse.Namespace, ruleset: Ruleset) -> list[str]:
    """Train once, or once a week; then decide on the weeks after it."""
    plan = _label_plan(options)
    delay_days = max(each.days for each in plan.delays)
    times = [options.until + timedelta(weeks=week) for week in range(WEEKS if options.weekly else 1)]
    windows = [window_of(at, options.train_days, delay_days) for at in times]
    collectors = [PointInTime(window, columns()) for window in windows]
    payments = _payments(options, ruleset)
    source = Source(payments.payments, ruleset, plan, collectors)
    later = LaterPayments(windows[0].as_of_s, source.users)
    lines = []
    for at, window, collected in zip(times, windows, collectors, strict=True):
        source.advance(window.as_of_s)
        training_set = collected.labelled()
        _require(training_set, window, payments.source)
        model = _trained(options, training_set, ruleset, at)
        lines += _summary(model, options.out, options.out.stat().st_size)
        end_s = window.as_of_s + (1 if options.weekly else WEEKS) * WEEK_S
        source.advance(end_s, partial(later.see, model=model))
    measures = later.columns()
    if not options.weekly:
        card = options.out.with_suffix(".md")
        about = f"Made by `make train` from {payments.source}."
        write_card(card, model, options.out.stat().st_size, [(payments.source, measures)], about)
        lines += [f"card: {card}"]
    if measures is None:
        return [
            *lines,
            f"{payments.source} has no payments after {time_text(times[-1])[:16]}Z to evaluate it on",
        ]
    return [*lines, "", *as_lines(measures)]


def _payments(options: argparse.Namespace, ruleset: Ruleset) -> PaymentStream:
    progress = Progress(sys.stderr)
    if options.simulate is not None:
        return stream.simulated(
            transactions=options.simulate,
            users=max(1, options.simulate // 40),
            seed=options.seed,
            ends_at=SIMULATION_ENDS_AT,
            progress=progress,
            scenario=options.scenario,
        )
    payments = stream.own(options.data, options.map, ruleset.exchange.by_currency, None, progress)
    if not payments.is_labelled:
        raise DatasetError(f"{payments.source}: nothing can be learnt. {NO_LABELS}")
    return payments


def _trained(options: argparse.Namespace, training_set: TrainingSet, ruleset: Ruleset, at: datetime) -> Model:
    """Fit a model, write its document, and read it back."""
    fit, unseen = fit_elsewhere(options.python, training_set)
    data = document_of(fit, unseen, training_set, ruleset, at)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(data)
    model = read_model(data, str(options.out))
    write_baseline(options.out, model, training_set)
    return model


def _summary(model: Model, path: Path, size: int) -> list[str]:
    document, training = model.document, model.document.training
    made_of = f"{size:,} bytes, {len(document.features)} features, {len(document.terms)} terms"
    learnt = f"{training.payments:,} payments with {training.frauds:,} frauds, {training.left_out:,} blocked and never judged"
    days = f"{training.first[:16]}Z to {training.last[:16]}Z, labels as of {training.labels_until[:16]}Z"
    return [f"{path}: model {model.sha256}", f"  {made_of}", f"  {learnt}", f"  {days}"]


def window_of(until: datetime, train_days: int, label_delay_days: float) -> Window:
    """Give the days that are trained on: those that end so long before `until` that labels had the time to become known."""
    end = until - timedelta(days=label_delay_days)
    begin = end - timedelta(days=train_days)
    return Window(int(begin.timestamp()), int(end.timestamp()), int(until.timestamp()))


def _require(training_set: TrainingSet, window: Window, source: str) -> None:
    if not len(training_set.is_fraud):
        begin, end = (time_text(datetime.fromtimestamp(each, UTC))[:16] for each in window[:2])
        raise TrainingError(
            f"{source}: no payments from {begin}Z to {end}Z, the days whose labels are known by then"
        )


def _label_plan(options: argparse.Namespace) -> LabelPlan:
    if options.label_delays is not None:
        return LabelPlan(read_delays(options.label_delays), *options.blocked)
    return LabelPlan((Delay(1.0, options.label_delay_days),), *options.blocked)


def delay_days(text: str) -> float:
    """Read the delay of all labels, days."""
    if not 0 <= (days := float(text)) <= MAX_DELAY_DAYS:
        raise argparse.ArgumentTypeError(f"{text}; 0 to {MAX_DELAY_DAYS}")
    return days


def until_of(text: str) -> datetime:
    """Read a time, RFC 3339, or a date, which means the end of that day in UTC, as in a ruleset's lists."""
    try:
        if len(text) == len("2018-07-31"):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}; a date (2018-07-31), or a time with its zone") from error
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no zone; write 2018-07-31T12:00:00Z")
    return at.astimezone(UTC)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training", description=main.__doc__)
    payments = parser.add_mutually_exclusive_group(required=True)
    payments.add_argument("--data", type=Path, help="payments with labels, a file or a folder")
    payments.add_argument("--simulate", type=int, help="instead: so many simulated ones, of 90 days")
    parser.add_argument("--seed", type=int, default=7, help="of the simulation (default: 7)")
    parser.add_argument(
        "--scenario", choices=("people", "crowds"), default="people", help="of the simulation"
    )
    parser.add_argument("--map", type=Path, help="which of its columns is which field, YAML")
    parser.add_argument(
        "--rules",
        type=Path,
        default=Path("rules/default.yaml"),
        help="the ruleset beside which it will decide",
    )
    parser.add_argument(
        "--until",
        type=until_of,
        required=True,
        help="train as of then: a date means the end of that day in UTC",
    )
    parser.add_argument(
        "--train-days",
        type=int,
        default=TRAIN_DAYS,
        help="days of payments whose labels are known by then (default: 28)",
    )
    labels = parser.add_mutually_exclusive_group()
    labels.add_argument(
        "--label-delay-days",
        type=delay_days,
        default=LABEL_DELAY_DAYS,
        help="each label is known so many days after its payment (default: 7)",
    )
    labels.add_argument(
        "--label-delays", type=Path, help="instead: a file of sources with shares and days, YAML"
    )
    parser.add_argument(
        "--blocked",
        type=blocked_policy,
        default=("judged", 0.0),
        help="what becomes known of blocked payments: judged (the truth, the default), unlabelled, honest, or sampled:0.1",
    )
    parser.add_argument(
        "--weekly",
        action="store_true",
        help="train four times, a week apart, and evaluate each week with the model of its begin",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=MODELS / "model.json",
        help="the model's document (default: models/model.json)",
    )
    parser.add_argument(
        "--python",
        type=Path,
        default=PYTHON,
        help=f"of the environment with scikit-learn (default: {PYTHON})",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
