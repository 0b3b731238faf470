"""Deploy a ruleset to the stack that runs: ``python -m local.deploy_ruleset FILE``."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from local.components.aws_api import make_client
from local.rulesets import Rulesets
from local.stack.state import DEFAULT_BUILD_DIR, StackError, require_stack
from ops import rollout
from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy a file as the active ruleset or as its candidate; 1 if no stack is up, or the file cannot be a candidate."""
    parser = argparse.ArgumentParser(prog="python -m local.deploy_ruleset", description=__doc__)
    parser.add_argument("file", type=Path, help="the YAML document")
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    rollout.add_options(parser)
    options = parser.parse_args(arguments)
    try:
        state, resources = require_stack(options.build_dir)
        rulesets, document = Rulesets(state.aws_endpoint, resources.rules), options.file.read_bytes()
        before = rulesets.active().encode()
        if options.share is not None:
            document = rollout.make_candidate(before, document, options.share)
    except (StackError, OpsError) as error:
        print(error, file=sys.stderr)
        return 1
    version, number = rulesets.deploy(document.decode())
    change = rollout.deployed(
        before,
        document,
        by=rollout.who_is_here(),
        reason=options.reason,
        deployment=number,
        at=datetime.now(UTC),
    )
    rollout.record(make_client("dynamodb", state.aws_endpoint), resources.tables["ruleset_changes"], change)
    print(
        f"{options.file} is deployed as version {version}; functions take it at their next poll, or refuse it"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
