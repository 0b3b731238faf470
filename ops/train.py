"""The command line of ``make train ENV=``: ``python -m ops.train --env dev``. It is apart, since it imports what trains, and no other command needs that."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ops import account, commands, training
from ops.environment import ROOT, Environment, read_environment
from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Sequence


def train(environment: Environment, options: argparse.Namespace) -> int:
    """Train a model on what an environment has stored, and fetch it."""
    settings = training.settings_of(commands.ready(environment).outputs(), environment.name)
    session = training.signed_in(account.client("sts", environment), settings)
    clients = training.Clients(
        *(
            account.client(service, environment, credentials=session)
            for service in ("stepfunctions", "s3", "sagemaker")
        )
    )
    task = training.Training(clients, settings, datetime.now(UTC))
    files = task.run(training.order_of(options, environment.root, task.as_of), options.folder)
    print(training.proposal(files, settings))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Train; 1 if something is missing or fails, with one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="python -m ops.train", description=main.__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository")
    parser.add_argument("--env", required=True, help="environment; a folder of terraform/environments")
    training.add_options(parser)
    options = parser.parse_args(arguments)
    try:
        return train(read_environment(options.env, options.root.resolve()), options)
    except OpsError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
