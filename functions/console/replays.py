"""Decisions made again: by the replay function, which has the rules' language; it would be half of the console's zip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from contract.replayed import ReplayAnswer, ReplayRequest
from contract.tried import TryAnswer

if TYPE_CHECKING:
    from common.ruleset_checks import Functions
    from contract.flagged import FlaggedKey
    from contract.tried import TryRequest

CLIENT_CONFIG: Final = Config(
    connect_timeout=2,
    read_timeout=16,  # longer than the function may run
    retries={"mode": "standard", "total_max_attempts": 1},
)

NO_ANSWER: Final = ReplayAnswer(
    why_not="What makes decisions again did not answer. Try again in a minute; the payment's row is not affected."
)

NOT_TRIED: Final = TryAnswer(why_not="What tries rulesets did not answer. Try again in a minute.")


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

    def tried(self, request: TryRequest) -> TryAnswer:
        """Try a proposed ruleset on stored payments; :data:`NOT_TRIED` where the function did not answer."""
        content = self._invoke(msgspec.json.encode(request), "a ruleset was not tried")
        return NOT_TRIED if content is None else msgspec.json.decode(content, type=TryAnswer)

    def of(self, key: FlaggedKey) -> ReplayAnswer:
        """Make a payment's decision again; :data:`NO_ANSWER` where the function did not answer: the page shows the rest."""
        payload = msgspec.json.encode(ReplayRequest(key.user_id, key.event_key))
        content = self._invoke(payload, "a decision was not made again")
        return NO_ANSWER if content is None else msgspec.json.decode(content, type=ReplayAnswer)

    def _invoke(self, payload: bytes, problem: str) -> bytes | None:
        try:
            answer = self._client.invoke(FunctionName=self._function, Payload=payload)
            content: bytes = answer["Payload"].read()
        except (ClientError, BotoCoreError) as error:
            self._log.error(problem, extra={"error_type": type(error).__name__})
            return None
        if answer.get("FunctionError"):
            self._log.error(problem, extra={"error_type": "FunctionError"})
            return None
        return content
