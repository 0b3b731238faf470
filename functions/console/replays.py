"""Decisions made again, and trials of rulesets: by the replay function, which has the rules' language; it would be half of the console's zip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from contract.replayed import ReplayAnswer, ReplayRequest

if TYPE_CHECKING:
    from contract.flagged import FlaggedKey
    from contract.tried import TryJob

Waiting = Literal["RequestResponse", "Event"]
"""For the function's answer, or for Lambda's, which says that it has taken the request."""

CLIENT_CONFIG: Final = Config(
    connect_timeout=2,
    read_timeout=16,  # longer than a decision takes with all its retries
    retries={"mode": "standard", "total_max_attempts": 1},
)

NO_ANSWER: Final = ReplayAnswer(
    why_not="What makes decisions again did not answer. Try again in a minute; the payment's row is not affected."
)


class Functions(Protocol):
    """The call to Lambda; see boto3's client."""

    def invoke(self, *, FunctionName: str, Payload: bytes, InvocationType: Waiting) -> Any:  # noqa: N803 - Lambda's names
        """Run a function."""
        ...


class Replays:
    """The replay function.

    Parameters
    ----------
    client : Functions
        Lambda.
    function : str
        The function's ARN with its alias, or its name.
    log
        Powertools' Logger.
    """

    def __init__(self, client: Functions, function: str, log: Any) -> None:
        self._client = client
        self._function = function
        self._log = log

    def start(self, job: TryJob) -> bool:
        """Ask for a trial, without waiting for its end; False where the function did not take the request."""
        payload = msgspec.json.encode(job)
        return self._invoke(payload, "a trial was not started", "Event") is not None

    def of(self, key: FlaggedKey) -> ReplayAnswer:
        """Make a payment's decision again; :data:`NO_ANSWER` where the function did not answer: the page shows the rest."""
        payload = msgspec.json.encode(ReplayRequest(key.user_id, key.event_key))
        content = self._invoke(payload, "a decision was not made again")
        return NO_ANSWER if content is None else msgspec.json.decode(content, type=ReplayAnswer)

    def _invoke(self, payload: bytes, problem: str, waiting: Waiting = "RequestResponse") -> bytes | None:
        try:
            answer = self._client.invoke(FunctionName=self._function, Payload=payload, InvocationType=waiting)
            content: bytes = answer["Payload"].read()
        except (ClientError, BotoCoreError) as error:
            self._log.error(problem, extra={"error_type": type(error).__name__})
            return None
        if answer.get("FunctionError"):
            self._log.error(problem, extra={"error_type": "FunctionError"})
            return None
        return content
