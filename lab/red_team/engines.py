"""The engines that thieves play against: that of this tree, or that of an earlier commit in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

import msgspec

from lab.backtest.deciding import Judge, Refusals
from lab.backtest.outcomes import Users

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from contract.truth import SentPayment
    from engine.rules.ruleset import Ruleset

_HOST = Path(__file__).with_name("serve_2408628.py")


class Ruling(msgspec.Struct, frozen=True):
    """What an engine says about one payment."""

    decision: str | None
    """``approve``, ``review`` or ``block``; None where it decides nothing: the record is invalid, or repeats another one."""
    rule_ids: tuple[str, ...] = ()
    """Live rules that hold."""


class Engine(Protocol):
    """Decides on payments in the order in which they arrive."""

    def decide(self, payment: SentPayment) -> Ruling:
        """Decide on the next payment."""


class EngineError(Exception):
    """An engine cannot be played against; says which and why."""


class OwnEngine:
    """The engine of this tree.

    Parameters
    ----------
    ruleset : Ruleset
        Its rules.
    """

    def __init__(self, ruleset: Ruleset) -> None:
        self._judge = Judge(ruleset, None, Users(), Refusals())

    def decide(self, payment: SentPayment) -> Ruling:
        """Decide on the next payment."""
        judged = self._judge.judge(payment)
        if judged is None:
            return Ruling(None)
        assessment = judged.decided.assessment
        return Ruling(assessment.decision, tuple(reason.rule_id for reason in assessment.reasons))


class PipedEngine:
    """An engine in another process, which reads a payment a line and answers each with a ruling a line.

    Parameters
    ----------
    requests, rulings : IO[bytes]
        To the process, and from it.
    name : str
        Of the engine, for errors.
    """

    def __init__(self, requests: IO[bytes], rulings: IO[bytes], name: str) -> None:
        self._requests = requests
        self._rulings = rulings
        self._name = name
        self._decoder = msgspec.json.Decoder(Ruling)

    def decide(self, payment: SentPayment) -> Ruling:
        """Decide on the next payment.

        Raises
        ------
        EngineError
            If the process has ended.
        """
        raw = payment.raw or msgspec.json.encode(payment.record)
        self._requests.write(
            msgspec.json.encode({"payment": raw.decode(), "appended_at": payment.appended_at}) + b"\n"
        )
        self._requests.flush()
        if not (line := self._rulings.readline()):
            raise EngineError(f"engine {self._name}: its process has ended")
        return self._decoder.decode(line)


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """Unpack the tree of a commit into a temporary folder.

    Raises
    ------
    EngineError
        If there is no such commit, or its engine is not one that can be served.
    """
    with TemporaryDirectory(prefix="engine-") as folder:
        tree = Path(folder)
        try:
            archive = subprocess.run(  # noqa: S603 - git refuses what is no commit
                ["git", "archive", "--format=tar", "--end-of-options", commit, "functions", "rules"],  # noqa: S607
                check=True,
                capture_output=True,
            )
        except subprocess.CalledProcessError as error:
            raise EngineError(f"engine {commit}: {error.stderr.decode().strip()}") from error
        with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
            files.extractall(tree, filter="data")
        if not (tree / "functions/score/decision.py").is_file():
            raise EngineError(f"engine {commit}: only engines of the layout of 2408628 can be served")
        yield tree


@contextmanager
def served(tree: Path, rules: Path, name: str) -> Iterator[PipedEngine]:
    """Run the engine of a checked-out tree in a process of its own; one engine, without any profiles yet.

    Parameters
    ----------
    tree : Path
        As :func:`checked_out` gives it.
    rules : Path
        A ruleset that this engine understands.
    name : str
        Of the engine, for errors.
    """
    environment = os.environ | {"PYTHONPATH": str(tree / "functions")}
    command = [sys.executable, "-P", str(_HOST), str(rules)]
    with subprocess.Popen(  # noqa: S603 - a script of ours
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise EngineError(f"engine {name}: no pipe to its process")
        yield PipedEngine(process.stdin, process.stdout, name)
        process.stdin.close()
