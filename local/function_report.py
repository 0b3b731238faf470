"""Print the report of a function of the local stack: ``make rules-report``, ``make model-report``."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lab.function_answer import read_answer
from lab.pages.html import write_page
from local.configured_pool import configured_pool
from local.event_sources.config import MappingConfigError, read_config
from local.stack.state import DEFAULT_BUILD_DIR, StackFolder

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask a function of the stack that is up for its report; 1 if it failed or no stack is up."""
    parser = argparse.ArgumentParser(prog="python -m local.function_report", description=__doc__)
    parser.add_argument("function", choices=("guardrails", "drift"))
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    parser.add_argument("--page", type=Path, help="write the same as a page to this file, if there is one")
    options = parser.parse_args(arguments)
    folder = StackFolder(options.build_dir)
    if folder.running_state() is None:
        print(f"no stack is up in {folder.build_dir}; `make up` starts one", file=sys.stderr)
        return 1
    try:
        pool = configured_pool(read_config(folder.run_dir / f"{options.function}.json"))
    except MappingConfigError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        result = pool.invoke({"report": True})
    finally:
        pool.stop()
    if result.error is not None:
        print(f"{result.error.type}: {result.error.message}", file=sys.stderr)
        return 1
    answer = read_answer(result.payload)
    print(answer.text)
    if options.page is not None and answer.page is not None:
        write_page(answer.page, options.page, datetime.now(UTC))
        print(f"report: {options.page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
