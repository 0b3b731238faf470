"""Deploy a ruleset to the stack that runs: ``python -m local.deploy_ruleset FILE``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.rulesets import Rulesets
from local.stack.state import DEFAULT_BUILD_DIR, StackError, require_stack

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy a file as the active ruleset; 1 if no stack is up."""
    parser = argparse.ArgumentParser(prog="python -m local.deploy_ruleset", description=__doc__)
    parser.add_argument("file", type=Path, help="the YAML document")
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    options = parser.parse_args(arguments)
    try:
        state, resources = require_stack(options.build_dir)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    version = Rulesets(state.aws_endpoint, resources.rules).deploy(options.file.read_text())
    print(
        f"{options.file} is deployed as version {version}; functions take it at their next poll, or refuse it"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
