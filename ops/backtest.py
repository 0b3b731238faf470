"""The command line of ``make backtest ENV=``: ``python -m ops.backtest --env dev``. It is apart, since it reads rulesets and models."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lab.models import models_named_by
from lab.pages.html import write_page
from ops import account, backtesting, commands
from ops.environment import ROOT, Environment, read_environment
from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Sequence


def order_of(options: argparse.Namespace) -> backtesting.Order:
    """Read the documents that the options name; OpsError names a file that does not exist, or a model that is not in ``models/``."""
    for file in (options.rules, options.model):
        if file is not None and not file.is_file():
            raise OpsError(f"There is no file {file}.")
    rules = options.rules.read_bytes()
    named = models_named_by(rules.decode())
    found = {sha256: data for sha256, data in named.items() if data is not None}
    if missing := [sha256[:12] for sha256 in named if sha256 not in found]:
        raise OpsError(f"{options.rules} names models that are not in models/: {', '.join(missing)}.")
    return backtesting.Order(
        rules=rules,
        named_models=found,
        model=None if options.model is None else options.model.read_bytes(),
        label_delay_days=options.label_delay_days,
        has_scores=options.out is not None,
    )


def backtest(environment: Environment, options: argparse.Namespace) -> int:
    """Let a ruleset decide again about what an environment has stored, and print the report."""
    order = order_of(options)
    settings = backtesting.settings_of(commands.ready(environment).outputs(), environment.name)
    clients = backtesting.Clients(
        *(account.client(service, environment) for service in ("s3", "stepfunctions", "glue"))
    )
    run = backtesting.Backtest(clients, settings, datetime.now(UTC))
    print(run.run(order, options.out), end="")
    if options.page is not None:
        write_page(run.page(), options.page, datetime.now(UTC))
        print(f"report: {options.page}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a backtest in AWS; 1 if something is missing or fails, with one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="python -m ops.backtest", description=main.__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository")
    parser.add_argument("--env", required=True, help="environment; a folder of terraform/environments")
    parser.add_argument("--rules", type=Path, required=True, help="the ruleset")
    parser.add_argument("--model", type=Path, help="a model, in the place of the ruleset's")
    parser.add_argument("--out", type=Path, help="write a line a payment to this file, CSV")
    parser.add_argument("--page", type=Path, help="write the same as a page to this file, HTML")
    parser.add_argument("--label-delay-days", type=float, default=0.0)
    options = parser.parse_args(arguments)
    try:
        return backtest(read_environment(options.env, options.root.resolve()), options)
    except OpsError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
