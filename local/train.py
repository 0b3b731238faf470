"""Train a model on what the running local stack has stored: ``python -m local.train``, which ``make train`` without DATA= runs."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract.label import LABELS_TABLE
from contract.scored import HISTORY_TABLE
from local.components.aws_api import make_client
from local.stack.state import DEFAULT_BUILD_DIR, StackError, require_stack
from training.command import run, train_on_tables
from training.options import add_delay, add_options, until_of
from training.tables import StoredRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.rules.ruleset import Ruleset
    from training.outcome import Outcome


class ScannedTables:
    """Both tables of a running stack, read as a whole.

    Parameters
    ----------
    dynamodb
        DynamoDB's client.
    names : Mapping[str, str]
        A table's interface name to its name.
    """

    name = "the running stack"

    def __init__(self, dynamodb: Any, names: Mapping[str, str]) -> None:
        self._dynamodb = dynamodb
        self._names = names

    def history(self) -> Iterator[StoredRow]:
        """Read the rows of `transaction_history`."""
        return self._scan(HISTORY_TABLE)

    def labels(self) -> Iterator[StoredRow]:
        """Read the rows of `labels`."""
        return self._scan(LABELS_TABLE)

    def _scan(self, table: str) -> Iterator[StoredRow]:
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._names[table])
        items = (item for page in pages for item in page["Items"])
        for number, item in enumerate(items, 1):
            yield StoredRow(item, table, number)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train a model on what the running local stack has stored; a sentence on stderr if that is impossible."""
    parser = argparse.ArgumentParser(prog="python -m local.train", description=main.__doc__)
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    parser.add_argument(
        "--until",
        type=until_of,
        help="train as of then: a date means the end of that day in UTC (default: now)",
    )
    add_delay(parser)
    add_options(parser)
    options = parser.parse_args(arguments)
    try:
        state, resources = require_stack(options.build_dir)
    except StackError as error:
        sys.exit(str(error))
    tables = ScannedTables(make_client("dynamodb", state.aws_endpoint), resources.tables)
    run(options, partial(_train, options, tables))


def _train(options: argparse.Namespace, tables: ScannedTables, ruleset: Ruleset) -> Outcome:
    return train_on_tables(options, ruleset, tables, options.until or datetime.now(UTC))


if __name__ == "__main__":
    main()
