"""The arguments of the backtest's job, ``--name value``: the form in which Glue passes them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class BacktestArguments:
    """What differs between runs. Paths are on any file system that Spark knows."""

    rows_path: str
    """An export of ``transaction_history``, or a prefix above several exports."""
    labels_path: str
    """The same for ``labels``."""
    rules_path: str
    """The ruleset's document."""
    named_models_path: str | None
    """A folder with the documents of the models that the ruleset names, its candidate's too; None where it names none."""
    model_path: str | None
    """A model that takes its place; None for none."""
    report_path: str
    """The file that the report is written to."""
    scores_path: str | None
    """The folder of the scores, CSV; None for no scores."""
    label_delay_days: float
    """Payments younger than that when the labels were exported are not known, whatever their label says."""


def parse_backtest_arguments(argv: Sequence[str]) -> BacktestArguments:
    """Read the job's arguments, and ignore Glue's own (``--JOB_NAME``, ``--TempDir``, ...).

    Parameters
    ----------
    argv : Sequence[str]
        The command line without the program's name.

    Raises
    ------
    SystemExit
        Naming the argument that is missing or wrong.
    """
    parser = argparse.ArgumentParser(prog="backtest_rows", allow_abbrev=False)
    parser.add_argument("--rows_path", required=True)
    parser.add_argument("--labels_path")
    parser.add_argument("--rules_path", required=True)
    parser.add_argument("--named_models_path")
    parser.add_argument("--model_path")
    parser.add_argument("--report_path", required=True)
    parser.add_argument("--scores_path")
    parser.add_argument("--label_delay_days", type=_days, default=0.0)
    known, _ = parser.parse_known_args(argv)
    return BacktestArguments(**vars(known) | {"labels_path": known.labels_path or known.rows_path})


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("not a number of days") from error
    if not 0 <= days <= 3_650:
        raise argparse.ArgumentTypeError("not 0 to 3,650 days")
    return days
