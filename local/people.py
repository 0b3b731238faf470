"""Print who can sign in to the running console: ``make people``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.stack.state import DEFAULT_BUILD_DIR, StackError, require_stack

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the console's address, and each person with the password of this stack."""
    parser = argparse.ArgumentParser(prog="python -m local.people", description=__doc__)
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    options = parser.parse_args(arguments)
    try:
        _, resources = require_stack(options.build_dir)
        if resources.console is None:
            raise StackError("the stack has no console")
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    print(resources.console.url)
    for name, password in resources.console.passwords.items():
        print(f"{name:<10} {password}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
