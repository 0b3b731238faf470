"""What a ruleset brings along when it is proposed: its models, and who proposes it; and the reports of functions that judge it."""

from __future__ import annotations

import argparse
import getpass
from typing import TYPE_CHECKING, Any

import msgspec

from common.model_archive import BASELINE, PREFIX
from engine.rollout.start import named_models
from engine.rules.sides import MAX_SHARE_PERCENT
from lab.function_answer import read_answer
from lab.models import kept_baseline, kept_model
from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.function_answer import FunctionAnswer


def put_models(s3: Any, bucket: str, document: bytes, report: Callable[[str], None] = print) -> list[str]:
    """Put the models that a document names into the rules bucket, each with its baseline, those that this tree has; give their sha256."""
    put = []
    for sha256 in named_models(document.decode("utf-8-sig")):
        data = kept_model(sha256)
        if data is not None:
            s3.put_object(Bucket=bucket, Key=f"{PREFIX}{sha256}", Body=data)
            put.append(sha256)
        baseline = kept_baseline(sha256)
        if baseline is not None:
            s3.put_object(Bucket=bucket, Key=f"{PREFIX}{sha256}{BASELINE}", Body=baseline)
        elif data is not None:
            report(f"model {sha256[:12]} has no baseline in models/: without one its drift is not measured")
    return put


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of a proposal."""
    parser.add_argument(
        "--share",
        type=_share,
        help="propose it as the candidate, for this share of the users, %%; 0 is in shadow",
    )
    parser.add_argument("--reason", default="make rules-deploy", help="why, for ruleset_changes")


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= MAX_SHARE_PERCENT:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {MAX_SHARE_PERCENT}")
    return share


def who_is_here() -> str:
    """Who proposes on this machine."""
    return f"local/{getpass.getuser()}"


def report_of(functions: Any, function: str) -> FunctionAnswer:
    """Ask a function for its report: the guardrails what the candidate would change, the drift stage how the model is doing.

    Raises
    ------
    OpsError
        If the function failed.
    """
    answer = functions.invoke(FunctionName=function, Payload=msgspec.json.encode({"report": True}))
    content = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise OpsError(f"{function} failed: {content.decode()}")
    return read_answer(content)
