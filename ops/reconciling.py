"""Run the reconciler: ``make reconcile``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Mapping


def run(functions: Any, function: str, hours: int | None) -> dict[str, int]:
    """Invoke the function, and wait for its answer.

    Parameters
    ----------
    functions
        Lambda's client; its time-out is longer than the function may run.
    function : str
        The function's name or ARN.
    hours : int | None
        How far to look back instead of the function's setting.

    Raises
    ------
    OpsError
        If the function failed.
    """
    asked = {} if hours is None else {"hours": hours}
    answer = functions.invoke(FunctionName=function, Payload=msgspec.json.encode(asked))
    content = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise OpsError(f"{function} failed: {content.decode()}")
    return msgspec.json.decode(content, type=dict[str, int])


def report(found: Mapping[str, int]) -> str:
    """Say what a run found, in one line."""
    return (
        f"{found['checked']} payments checked: {found['flagged_rows_repaired']} flagged, {found['alerts_repaired']} alerted on "
        f"and {found['cases_repaired']} put in cases again, {found['repairs_failed']} repairs failed, {found['hours_unchecked']} parts of an hour unchecked."
    )


def is_clean(found: Mapping[str, int]) -> bool:
    """Whether everything that was missing has been sent to its stage, and everything was looked at."""
    return found["repairs_failed"] == 0 and found["hours_unchecked"] == 0
