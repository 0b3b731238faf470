"""Asks the validator about documents: the console has neither YAML nor the rules' language."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from common.errors import StageError
from common.ruleset_checks import check_draft
from contract.authoring import Answer, ModelAnswer, Read, ReadModel

if TYPE_CHECKING:
    from common.ruleset_checks import Functions
    from contract.authoring import Request
    from contract.ruleset_draft import CheckedDraft, Draft

KEPT: Final = 8
"""Documents whose outlines a process remembers."""

AnswerT = TypeVar("AnswerT")


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

    Every method raises ValidatorFailedError or UncheckedDraftError, ClientError or BotoCoreError where it does not answer.

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
        self._remembered = lru_cache(KEPT)(lambda document: self.ask(Read(document)))

    def read(self, document: str) -> Answer:
        """Check a document, and say what is in it; one that was read before is not asked for again."""
        return self._remembered(document)

    def ask(self, request: Request) -> Answer:
        """Ask for a document, edited or not."""
        return self._invoke(request, Answer)

    def check(self, draft: Draft) -> CheckedDraft:
        """Check what somebody wants to propose, and make its whole document."""
        return check_draft(self._client, self._function, draft)

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
