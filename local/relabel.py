"""Sends stored labels to the local stack's queue again: ``make relabel``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from contract.flagged import FLAGGED_TABLE
from contract.label import LABELS_TABLE
from local.components.aws_api import make_client
from local.resources import LABELS_QUEUE
from local.stack.state import DEFAULT_BUILD_DIR, StackError, require_stack
from ops.errors import OpsError
from ops.stored_labels import Tables, send_again

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Send one label of each payment, and print how many; 1 and a sentence on stderr if they cannot be sent."""
    parser = argparse.ArgumentParser(prog="python -m local.relabel", description=__doc__)
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    options = parser.parse_args(arguments)
    try:
        state, resources = require_stack(options.build_dir)
        dynamodb, sqs = (make_client(service, state.aws_endpoint) for service in ("dynamodb", "sqs"))
        tables = Tables(resources.tables[LABELS_TABLE], resources.tables[FLAGGED_TABLE])
        print(send_again(dynamodb, sqs, tables, resources.queues[LABELS_QUEUE], time.sleep))
    except (OpsError, StackError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
