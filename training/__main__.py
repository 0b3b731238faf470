"""Train a model on payments whose labels are known: ``python -m training``, which ``make train`` runs."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from contract.clock import time_text
from lab.backtest import stream
from lab.backtest.__main__ import SIMULATION_ENDS_AT, blocked_policy
from lab.backtest.labels import Delay, LabelPlan, read_delays
from lab.backtest.printing import NO_LABELS
from lab.datasets import DatasetError
from lab.progress import Progress
from training.command import run, train_on_file, train_on_tables
from training.errors import TrainingError
from training.export import ExportedTables
from training.options import add_delay, add_options, until_of

if TYPE_CHECKING:
    from engine.rules.ruleset import Ruleset
    from lab.backtest.stream import PaymentStream
    from training.outcome import Outcome


def main(arguments: list[str] | None = None) -> None:
    """Train a model, write its document, and print how it ranks the weeks after it."""
    options = _options(arguments)
    train = _train_on_export if options.export is not None else _train_on_file
    run(options, partial(train, options))


def _train_on_file(options: argparse.Namespace, ruleset: Ruleset) -> Outcome:
    plan = _label_plan(options)
    return train_on_file(options, ruleset, _payments(options, ruleset), plan)


def _train_on_export(options: argparse.Namespace, ruleset: Ruleset) -> Outcome:
    tables = ExportedTables(options.export)
    until = options.until or tables.exported_at
    if until > tables.exported_at:
        raise TrainingError(
            f"{tables.name} was exported at {time_text(tables.exported_at)}, and has no labels of later; UNTIL= is {time_text(until)}"
        )
    return train_on_tables(options, ruleset, tables, until)


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


def _label_plan(options: argparse.Namespace) -> LabelPlan:
    if options.label_delays is not None:
        return LabelPlan(read_delays(options.label_delays), *options.blocked)
    return LabelPlan((Delay(1.0, options.label_delay_days),), *options.blocked)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training", description=main.__doc__)
    payments = parser.add_mutually_exclusive_group(required=True)
    payments.add_argument("--data", type=Path, help="payments with labels, a file or a folder")
    payments.add_argument("--simulate", type=int, help="instead: so many simulated ones, of 90 days")
    payments.add_argument(
        "--export",
        type=Path,
        help="instead: a folder of DynamoDB's exports of the running system's tables transaction_history and labels",
    )
    parser.add_argument("--seed", type=int, default=7, help="of the simulation (default: 7)")
    parser.add_argument(
        "--scenario", choices=("people", "crowds"), default="people", help="of the simulation"
    )
    parser.add_argument("--map", type=Path, help="which of its columns is which field, YAML")
    parser.add_argument(
        "--until",
        type=until_of,
        help="train as of then: a date means the end of that day in UTC (default for an export: when it was made)",
    )
    labels = parser.add_mutually_exclusive_group()
    add_delay(labels)
    labels.add_argument(
        "--label-delays", type=Path, help="instead: a file of sources with shares and days, YAML"
    )
    parser.add_argument(
        "--blocked",
        type=blocked_policy,
        default=("judged", 0.0),
        help="what becomes known of blocked payments: judged (the truth, the default), unlabelled, honest, or sampled:0.1",
    )
    add_options(parser)
    options = parser.parse_args(arguments)
    if options.export is None and options.until is None:
        parser.error("the following arguments are required: --until")
    played = options.label_delays is not None or options.blocked != ("judged", 0.0) or options.map is not None
    if options.export is not None and played:
        parser.error("--map, --label-delays and --blocked are for a file: an export has labels of its own")
    return options


if __name__ == "__main__":
    main()
