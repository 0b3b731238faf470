"""Run the reconciler: ``make reconcile``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ops.errors import OpsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of a run, here and on one machine."""
    parser.add_argument("--hours", type=int, help="look back so far instead of 48 hours")
    parser.add_argument("--recount", action="store_true", help="count the cases of all payments again")


def request(options: argparse.Namespace) -> dict[str, int | bool]:
    """Make the function's request of :func:`add_options`; what is left out is as in its settings."""
    hours: dict[str, int | bool] = {} if options.hours is None else {"hours": options.hours}
    return hours | ({"recount": True} if options.recount else {})


def run(functions: Any, function: str, asked: Mapping[str, int | bool]) -> dict[str, int]:
    """Invoke the function, and wait for its answer.

    Parameters
    ----------
    functions
        Lambda's client; its time-out is longer than the function may run.
    function : str
        The function's name or ARN.
    asked : Mapping[str, int | bool]
        :func:`request`.

    Raises
    ------
    OpsError
        If the function failed.
    """
    answer = functions.invoke(FunctionName=function, Payload=msgspec.json.encode(asked))
    content = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise OpsError(f"{function} failed: {content.decode()}")
    return msgspec.json.decode(content, type=dict[str, int])


def report(found: Mapping[str, int]) -> str:
    """Say what a run found, in one line."""
    return (
        f"{found['checked']} payments checked: {found['flagged_rows_repaired']} flagged, {found['alerts_repaired']} alerted on "
        f"and {found['cases_repaired']} put in cases again, cases of {found['cases_recounted']} counted again, "
        f"{found['repairs_failed']} repairs failed, {found['hours_unchecked']} parts of an hour unchecked."
    )


def is_clean(found: Mapping[str, int]) -> bool:
    """Whether everything that was missing has been sent to its stage, and everything was looked at."""
    return found["repairs_failed"] == 0 and found["hours_unchecked"] == 0
