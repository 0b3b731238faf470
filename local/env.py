"""The running stack's addresses as shell exports: ``eval "$(make -s env)"`` points any client at it."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.components.aws_api import CREDENTIALS, REGION
from local.stack.state import DEFAULT_BUILD_DIR, StackError, StackState, require_stack

if TYPE_CHECKING:
    from collections.abc import Sequence


def exports(state: StackState) -> dict[str, str]:
    """Make the variables that point clients at a stack.

    Parameters
    ----------
    state : StackState
        Of a stack that is up.

    Returns
    -------
    dict[str, str]
        Variable to value. Queues, tables and buckets are ``<NAME>_QUEUE_URL``, ``<NAME>_TABLE``, ``<NAME>_BUCKET``; files are
        read below ``LANDING_URL``, and files of labels below ``LABELS_LANDING_URL``.
    """
    resources = state.resources
    named = {}
    if resources is not None:
        named = {
            "SNS_TOPIC_ARN": resources.alert_topic_arn,
            **{_variable(name, "QUEUE_URL"): url for name, url in resources.queues.items()},
            **{_variable(name, "TABLE"): table for name, table in resources.tables.items()},
            **{_variable(name, "BUCKET"): bucket for name, bucket in resources.buckets.items()},
            "LANDING_URL": resources.landing_uri,
            "LABELS_LANDING_URL": resources.labels_uri,
        }
    return {
        "KAFKA_BOOTSTRAP_SERVERS": state.bootstrap_servers,
        "ELASTICACHE_REDIS_ENDPOINT": state.cache_endpoint,
        "AWS_ENDPOINT_URL": state.aws_endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        **CREDENTIALS,
        **named,
    }


def _variable(name: str, suffix: str) -> str:
    return f"{name.upper().replace('-', '_')}_{suffix}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print ``export NAME=value`` lines; 1 and a sentence on stderr if no stack is up."""
    parser = argparse.ArgumentParser(prog="python -m local.env", description=__doc__)
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    options = parser.parse_args(arguments)
    try:
        state, _ = require_stack(options.build_dir)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    for name, value in exports(state).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
