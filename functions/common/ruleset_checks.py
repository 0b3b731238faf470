"""Asks `rules_validator` what it says to a draft."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from common.errors import StageError
from contract.ruleset_draft import CheckedDraft

if TYPE_CHECKING:
    from contract.ruleset_draft import Draft


class UncheckedDraftError(StageError):
    """The checker failed, so nobody knows whether the draft is good; another try may succeed.

    Parameters
    ----------
    error_type : str
        What the checker says that it was.
    """

    def __init__(self, error_type: str) -> None:
        super().__init__(f"the ruleset could not be checked: {error_type}")
        self.error_type = error_type


class Functions(Protocol):
    """The call to Lambda; see boto3's client."""

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803 - Lambda's names
        """Run a function, and wait for its answer."""
        ...


class _Failure(msgspec.Struct, rename="camel"):
    error_type: str = "unknown"


def check_draft(client: Functions, function: str, draft: Draft) -> CheckedDraft:
    """Have a draft checked.

    Parameters
    ----------
    client : Functions
        A low-level client. It waits for 15 s at most that the function takes.
    function : str
        The validator's name in this environment.
    draft : Draft
        What an author wants.

    Raises
    ------
    UncheckedDraftError
        Where the function failed.
    ClientError, BotoCoreError
        Where Lambda did not answer.
    """
    answer = client.invoke(FunctionName=function, Payload=msgspec.json.encode({"draft": draft}))
    content = answer["Payload"].read()
    if answer.get("FunctionError"):
        # Its message may quote the document.
        raise UncheckedDraftError(msgspec.json.decode(content, type=_Failure).error_type)
    return msgspec.json.decode(content, type=CheckedDraft)
