"""A stack that outlives the command that started it: a supervisor process owns the stack, and two commands control it.

`up` starts the supervisor and reads its progress from a pipe until the stack works. `down` signals it and waits until every
process of the stack has ended.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Literal

import msgspec

from local.process_tree import stop_processes, wait_until_gone
from local.processes import log_tail
from local.stack.stack import Stack
from local.stack.state import DEFAULT_BUILD_DIR, StackFolder, StackState
from ops.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

DOWN_SECONDS: Final = 60.0
"""Time that the supervisor may take to stop everything; after it, it is killed together with its processes."""

CONSOLE: Final = "console"
"""The function that serves the console."""

_WATCH_SECONDS: Final = 1.0
_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

logger = logging.getLogger("supervisor")


def up(build_dir: Path, *, ingestion: bool, functions: Sequence[str] | None, ruleset: Path | None) -> int:
    """Leave a stack running; 0 if one runs in the end, whoever started it.

    Parameters
    ----------
    build_dir : Path
        The stack's build folder.
    ingestion : bool
        Whether to run the Glue job.
    functions : Sequence[str] | None
        The functions to run; None for all.
    ruleset : Path | None
        The first ruleset; None for the default one.

    Returns
    -------
    int
        The command's exit code.
    """
    folder = StackFolder(build_dir)
    running = folder.running_state()
    if running is not None:
        _print_console(running)
        print(f"the stack in {folder.build_dir} is already up; `make status` shows it, `make down` stops it")
        return 0
    argv = [sys.executable, "-m", "local.stack", "serve", "--build-dir", str(folder.build_dir)]
    argv += [] if ingestion else ["--no-ingestion"]
    argv += [] if functions is None else ["--functions", ",".join(functions)]
    argv += [] if ruleset is None else ["--ruleset", str(ruleset.resolve())]
    log = _log_file(folder)
    supervisor, pipe = _start_supervisor(argv, log)
    try:
        # The pipe ends with the result of the start, or with the supervisor.
        with pipe:
            result = _relay(pipe)
    except KeyboardInterrupt:
        supervisor.terminate()
        supervisor.wait()
        print("interrupted; everything that was started is stopped", file=sys.stderr)
        return 130
    if result is None or result.kind == "failed":
        supervisor.wait()
        tail = "".join(f"\n    {line}" for line in log_tail(log))
        print(f"the supervisor ended; {log}:{tail}" if result is None else result.text, file=sys.stderr)
        return 1
    started = folder.running_state()
    if started is not None:
        _print_console(started)
    print(
        f'up. Logs are in {folder.log_dir}; `make status`, `make watch`, `eval "$(make -s env)"`, `make down`'
    )
    return 0


def down(build_dir: Path) -> int:
    """Stop the stack; returns when none of its processes is left. 0 also if no stack runs."""
    folder = StackFolder(build_dir)
    state = folder.last_state()
    if state is None:
        print("no stack runs")
        return 0
    owner = state.owner.find()
    if owner is not None:
        owner.terminate()
        wait_until_gone([owner], DOWN_SECONDS)
    # An owner that ended in order has stopped all of them. One that was killed, or did not end in time, has not.
    stop_processes([state.owner, *state.processes])
    shutil.rmtree(folder.run_dir, ignore_errors=True)
    folder.state_file.unlink(missing_ok=True)
    print("no stack ran; leftovers of an earlier one are removed" if owner is None else "down")
    return 0


def serve(
    build_dir: Path,
    *,
    ingestion: bool,
    functions: Sequence[str] | None,
    ruleset: Path | None,
    progress_fd: int,
) -> int:
    """Own a stack until SIGTERM or SIGINT; what `up` runs in the background.

    Parameters
    ----------
    build_dir, ingestion, functions, ruleset
        As in :func:`up`.
    progress_fd : int
        A pipe that gets progress, and then the result of the start.

    Returns
    -------
    int
        1 if the stack could not be started. Otherwise a signal ends the process.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for number in _STOP_SIGNALS:
        signal.signal(number, _exit_once)
    stack = Stack(build_dir) if ruleset is None else Stack(build_dir, ruleset)
    with os.fdopen(progress_fd, "w") as pipe:
        try:
            with stack:
                stack.start(
                    lambda line: _report(pipe, "progress", line), ingestion=ingestion, functions=functions
                )
                _report(pipe, "ready", "")
                pipe.close()
                _watch(stack)
        # `up` must report any error: this process has no terminal.
        except Exception as error:
            logger.exception("the stack could not be started")
            _report(pipe, "failed", str(error))
    return 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `up`, `down` or, for the supervisor itself, `serve`."""
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "serve"])
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    parser.add_argument("--no-ingestion", action="store_true", help="without the Glue job")
    parser.add_argument("--functions", help="comma-separated; all by default, none for an empty text")
    parser.add_argument("--ruleset", type=Path, help="active at first; rules/default.yaml by default")
    parser.add_argument("--progress-fd", type=int, default=-1, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.command == "down":
        return down(options.build_dir)
    # A shell that starts this in the background makes it ignore SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    names = None if options.functions is None else [name for name in options.functions.split(",") if name]
    chosen = {"ingestion": not options.no_ingestion, "functions": names, "ruleset": options.ruleset}
    if options.command == "up":
        return up(options.build_dir, **chosen)
    return serve(options.build_dir, **chosen, progress_fd=options.progress_fd)


def _start_supervisor(argv: list[str], log: Path) -> tuple[subprocess.Popen[bytes], IO[str]]:
    """Start the supervisor in a session of its own; returns it, and the pipe on which it reports its progress."""
    log.parent.mkdir(parents=True, exist_ok=True)
    reading, writing = os.pipe()
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [*argv, "--progress-fd", str(writing)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            start_new_session=True,
            pass_fds=[writing],
        )
    os.close(writing)
    return supervisor, os.fdopen(reading)


def _print_console(state: StackState) -> None:
    console = None if state.resources is None else state.resources.console
    if console is not None and CONSOLE in state.functions:
        print(f"console: {console.url}; `make people` prints who can sign in")


class _Message(msgspec.Struct, frozen=True):
    """One line from the supervisor to `up`."""

    kind: Literal["progress", "ready", "failed"]
    text: str


def _report(pipe: IO[str], kind: Literal["progress", "ready", "failed"], text: str) -> None:
    logger.info("%s %s", kind, text)
    # `up` may have been killed; the stack does not depend on it.
    with contextlib.suppress(BrokenPipeError):
        print(msgspec.json.encode(_Message(kind, text)).decode(), file=pipe, flush=True)


def _relay(pipe: IO[str]) -> _Message | None:
    """Print what the supervisor does; returns its result, None if it ended without one."""
    for line in pipe:
        message = msgspec.json.decode(line, type=_Message)
        if message.kind != "progress":
            return message
        print(message.text, flush=True)
    return None


def _watch(stack: Stack) -> None:
    reported: set[str] = set()
    while True:
        for name, code in stack.ended_processes().items():
            if name not in reported:
                logger.error("%s ended with exit code %d; its log is in %s", name, code, stack.log_dir)
                reported.add(name)
        time.sleep(_WATCH_SECONDS)


def _exit_once(number: int, _frame: FrameType | None) -> None:
    # The first signal stops the stack. Another one meanwhile would interrupt that, so it is ignored.
    for each in _STOP_SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    logger.info("stopping on %s", signal.Signals(number).name)
    sys.exit(0)


def _log_file(folder: StackFolder) -> Path:
    return folder.build_dir / "supervisor.log"
