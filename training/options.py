"""The options of a training, wherever its payments come from: days, delays, rules, and where the model is written."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from lab.backtest.labels import MAX_DELAY_DAYS
from lab.models import MODELS
from training.point_in_time import Window

PYTHON: Final = Path(".venv-train/bin/python")
"""Of the environment that has scikit-learn."""

TRAIN_DAYS: Final = 28
LABEL_DELAY_DAYS: Final = 7.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what every training takes."""
    parser.add_argument(
        "--rules",
        type=Path,
        default=Path("rules/default.yaml"),
        help="the ruleset beside which it will decide",
    )
    parser.add_argument(
        "--train-days",
        type=int,
        default=TRAIN_DAYS,
        help="days of payments whose labels are known by then (default: 28)",
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
    parser.add_argument("--page", type=Path, help="write what came of it as a page to this file, HTML")
    parser.add_argument(
        "--python",
        type=Path,
        default=PYTHON,
        help=f"of the environment with scikit-learn (default: {PYTHON})",
    )


def add_delay(group: argparse._ActionsContainer) -> None:
    """Add the delay of labels."""
    group.add_argument(
        "--label-delay-days",
        type=delay_days,
        default=LABEL_DELAY_DAYS,
        help="labels are known so many days after their payment, so the days that are trained on end so long before (default: 7)",
    )


def window_of(until: datetime, train_days: int, label_delay_days: float) -> Window:
    """Give the days that are trained on: those that end so long before `until` that labels had the time to become known."""
    end = until - timedelta(days=label_delay_days)
    begin = end - timedelta(days=train_days)
    return Window(int(begin.timestamp()), int(end.timestamp()), int(until.timestamp()))


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
