"""Ask an environment's state machine of exports for a run: it exports the history and the labels, and starts a job (terraform/modules/exports)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

DELAY: Final = timedelta(minutes=6)
"""An export is one of so long ago: DynamoDB's point-in-time backup is about five minutes behind."""


def moment(now: datetime) -> datetime:
    """As of when a run that is asked for now exports, UTC, in whole seconds."""
    return (now - DELAY).replace(microsecond=0)


def start(
    stepfunctions: Any,
    state_machine_arn: str,
    run: str,
    as_of: datetime,
    arguments: Mapping[str, str] | Sequence[str],
) -> str:
    """Start the state machine.

    Parameters
    ----------
    stepfunctions
        Step Functions' client.
    state_machine_arn : str
        Which one.
    run : str
        Names the execution, and the exports' folder.
    as_of : datetime
        :func:`moment`.
    arguments : Mapping[str, str] | Sequence[str]
        Of the job, in the form in which it takes them.

    Returns
    -------
    str
        The execution's ARN.
    """
    given = {"run": run, "as_of": f"{as_of:%Y-%m-%dT%H:%M:%SZ}", "arguments": arguments}
    started = stepfunctions.start_execution(
        stateMachineArn=state_machine_arn, name=run, input=json.dumps(given)
    )
    arn: str = started["executionArn"]
    return arn


def until_started(
    stepfunctions: Any, execution_arn: str, name: str, wait: Callable[[], None]
) -> dict[str, Any]:
    """Wait until the exports are complete and the job is started; give what the job's service answered.

    Parameters
    ----------
    stepfunctions
        Step Functions' client.
    execution_arn : str
        As :func:`start` gave it.
    name : str
        Of the run, for errors.
    wait : Callable[[], None]
        Waits between two looks.

    Raises
    ------
    OpsError
        Saying why no job is started.
    """
    while True:
        found = stepfunctions.describe_execution(executionArn=execution_arn)
        match found["status"]:
            case "SUCCEEDED":
                answer: dict[str, Any] = json.loads(found["output"])
                return answer
            case "FAILED" | "TIMED_OUT" | "ABORTED" as status:
                reason = found.get("cause", "no reason given")
                raise OpsError(f"{name}: the exports ended with {status}: {reason}")
        wait()
