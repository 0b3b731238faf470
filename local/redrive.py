"""Sends a stage's dead letters through it again: ``make redrive-local QUEUE=persist``.

This does what `make redrive` does, on the stack's queue and streams. Instead of Lambda, it invokes the stage's own zip, in a
process beside the one that runs. Messages of a stage that reads a queue are put back into that queue.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from local.components.aws_api import make_client
from local.configured_pool import configured_pool
from local.event_sources.config import MappingConfig, MappingConfigError, read_config
from local.stack.state import DEFAULT_BUILD_DIR, StackFolder
from ops.dead_letters import Redrive, RedriveResult
from ops.moved_messages import move_messages

if TYPE_CHECKING:
    from collections.abc import Sequence


class RedriveError(Exception):
    """A queue that cannot be redriven; says why in a sentence."""


class LocalFunction:
    """Lambda's `Invoke` for one function of the stack.

    Parameters
    ----------
    config : MappingConfig
        The stack's configuration of the function's event source mapping.
    """

    def __init__(self, config: MappingConfig) -> None:
        self._pool = configured_pool(config)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.stop()

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: ARG002, N803 - Lambda's names
        """Run the function once; returns what boto3's client does."""
        result = self._pool.invoke(Payload)
        error = {} if result.error is None else {"FunctionError": "Unhandled"}
        return {"Payload": io.BytesIO(result.payload), **error}


def redrive(function: str, build_dir: Path = DEFAULT_BUILD_DIR) -> RedriveResult:
    """Redrive what a function's dead-letter queue holds.

    Parameters
    ----------
    function : str
        Its folder below ``functions/``.
    build_dir : Path
        Of the running stack.

    Raises
    ------
    RedriveError
        If no stack runs, or the function has no event source mapping there.
    """
    folder = StackFolder(build_dir)
    state = folder.running_state()
    if state is None:
        raise RedriveError(f"no stack is up in {build_dir}; `make up` starts one")
    if function not in state.functions:
        raise RedriveError(
            f"There is no queue of {function!r}; there are {', '.join(sorted(state.functions))}."
        )
    try:
        config = read_config(folder.run_dir / f"{function}.json")
    except MappingConfigError as error:
        raise RedriveError(f"the running stack's configuration cannot be read: {error}") from error
    sqs, s3 = (make_client(service, config.aws_endpoint) for service in ("sqs", "s3"))
    if config.source_queue_url:
        return RedriveResult(move_messages(sqs, config.dead_letter_queue_url, config.source_queue_url), ())
    with LocalFunction(config) as lambda_:
        return Redrive(sqs, s3, lambda_).replay(config.dead_letter_queue_url)


def main(arguments: Sequence[str] | None = None) -> int:
    """Redrive a queue and report the outcome; 1 if messages stay in it."""
    parser = argparse.ArgumentParser(prog="python -m local.redrive", description=__doc__)
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    parser.add_argument("--queue", required=True, help="the stage: alert, label, persist or score")
    options = parser.parse_args(arguments)
    try:
        outcome = redrive(options.queue.removesuffix("-dead-letter"), options.build_dir)
    except RedriveError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.queue}: {outcome.put_back} put back, {len(outcome.kept)} stay.")
    for line in outcome.kept:
        print(line)
    return 1 if outcome.kept else 0


if __name__ == "__main__":
    sys.exit(main())
