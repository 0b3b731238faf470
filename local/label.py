"""Sends one label to the local stack: ``make label TRANSACTION= VERDICT= SOURCE=``."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from local.components.aws_api import make_client
from local.resources import LABELS_QUEUE
from local.stack.state import DEFAULT_BUILD_DIR, StackError, require_stack
from ops import labels
from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Check and send one label, and print what was sent; 1 and a sentence on stderr if it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m local.label", description=__doc__)
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    labels.add_options(parser)
    options = parser.parse_args(arguments)
    try:
        message = labels.read_message(options, datetime.now(UTC))
        state, resources = require_stack(options.build_dir)
    except (OpsError, StackError) as error:
        print(error, file=sys.stderr)
        return 1
    print(labels.send(make_client("sqs", state.aws_endpoint), resources.queues[LABELS_QUEUE], message))
    return 0


if __name__ == "__main__":
    sys.exit(main())
