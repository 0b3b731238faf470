"""Asks the validator about documents: the console has neither YAML nor the rules' language."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import msgspec

from common.errors import StageError
from contract.authoring import Answer, ModelAnswer, Read, ReadModel
from contract.ruleset_draft import CheckedDraft

if TYPE_CHECKING:
    from contract.authoring import Request
    from contract.ruleset_draft import Draft

KEPT: Final = 8
"""Documents whose outlines a process remembers."""

AnswerT = TypeVar("AnswerT")


class Functions(Protocol):
    """The call that is made of Lambda."""

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803 - Lambda's names
        """Invoke a function, and wait for its answer."""
        ...


class ValidatorFailedError(StageError):
    """The validator did not answer.

    Parameters
    ----------
    problem : str
        What Lambda says of it; nothing of the document.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(f"the validator of rulesets did not answer: {problem}")
        self.problem = problem


class RulesetReader:
    """The validator, by the calls that the pages make.

    Every method raises ValidatorFailedError, ClientError or BotoCoreError where it does not answer.

    Parameters
    ----------
    client : Functions
        Lambda's.
    function : str
        The validator's name in this environment.
    """

    def __init__(self, client: Functions, function: str) -> None:
        self._client = client
        self._function = function
        self._outlines: OrderedDict[str, Answer] = OrderedDict()

    def read(self, document: str) -> Answer:
        """Check a document, and say what is in it; one that was read before is not asked for again."""
        if document not in self._outlines:
            self._outlines[document] = self.ask(Read(document))
            if len(self._outlines) > KEPT:
                self._outlines.popitem(last=False)
        self._outlines.move_to_end(document)
        return self._outlines[document]

    def ask(self, request: Request) -> Answer:
        """Ask for a document, edited or not."""
        return self._invoke(request, Answer)

    def check(self, draft: Draft) -> CheckedDraft:
        """Check what somebody wants to propose, and make its whole document."""
        return self._invoke({"draft": msgspec.to_builtins(draft)}, CheckedDraft)

    def model(self, sha256: str) -> ModelAnswer:
        """Give a model's document and its training window."""
        return self._invoke(ReadModel(sha256), ModelAnswer)

    def _invoke(self, request: object, kind: type[AnswerT]) -> AnswerT:
        answer = self._client.invoke(FunctionName=self._function, Payload=msgspec.json.encode(request))
        content = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise ValidatorFailedError(str(answer["FunctionError"]))
        try:
            return msgspec.json.decode(content, type=kind)
        except msgspec.MsgspecError as error:
            raise ValidatorFailedError(str(error)) from error
