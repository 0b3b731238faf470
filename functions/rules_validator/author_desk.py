"""Answers what the console asks about documents: check one, change a rule, take entries off, take one side, give a model. It stores nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from contract.authoring import (
    Answer,
    ChangeRule,
    DocumentProblem,
    ModelAnswer,
    Read,
    ReadModel,
    ReadSide,
    Request,
    TakeOff,
)
from contract.side import Side
from engine.errors import InvalidRulesetError, RulesetEditError
from engine.rollout.author_edits import with_rule, with_version, without_entries
from engine.rollout.edits import has_candidate, without_candidate
from engine.rollout.outline import outline
from engine.rollout.start import candidate_alone
from engine.rules.check import check_ruleset, warnings
from engine.rules.model_section import no_models

if TYPE_CHECKING:
    from engine.rules.model_section import Models

SOURCE = "document"


def answer(event: object, models: Models, baselines: Models = no_models) -> dict[str, Any]:
    """Answer a request of the console.

    Parameters
    ----------
    event : object
        A :data:`contract.authoring.Request`, as JSON gives it.
    models : Models
        Gives the documents of models. What it raises, passes.
    baselines : Models
        Gives what their training windows were like.

    Returns
    -------
    dict[str, Any]
        A :class:`contract.authoring.Answer`, or a :class:`contract.authoring.ModelAnswer`, for JSON. A document that is refused is an answer, not an error.

    Raises
    ------
    msgspec.ValidationError
        Where it is no request.
    """
    request = msgspec.convert(event, Request)
    if isinstance(request, ReadModel):
        return _built(
            ModelAnswer(model=_text(models(request.sha256)), baseline=_text(baselines(request.sha256)))
        )
    try:
        text, first_line = _edited(request)
    except RulesetEditError as error:
        found = Answer(document=request.document, refusal=str(error))
    else:
        found = msgspec.structs.replace(_read(text, models), first_line=first_line)
    return _built(found)


def _built(found: Answer | ModelAnswer) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(found)
    return built


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode()


def _edited(request: Read | ChangeRule | TakeOff | ReadSide) -> tuple[str, int]:
    """The document after an edit, and the line at which the changed rule begins."""
    text = request.document
    match request:
        case Read():
            return text, 1
        case ChangeRule():
            text = with_version(text, request.version) if request.version else text
            return with_rule(text, request.rule_id, request.text)
        case TakeOff():
            return without_entries(text, request.list_name, request.values), 1
        case ReadSide(side=Side.CHAMPION):
            return (without_candidate(text) if has_candidate(text) else text), 1
        case ReadSide():
            return candidate_alone(text, keeps_guardrails=True), 1


def _read(text: str, models: Models) -> Answer:
    try:
        ruleset = check_ruleset(text.encode("utf-8", "surrogatepass"), SOURCE, models)
    except InvalidRulesetError as error:
        problems = tuple(
            DocumentProblem(each.line, each.column, each.message, each.rule_id) for each in error.problems
        )
        return Answer(document=text, problems=problems)
    return Answer(document=text, outline=outline(ruleset, text), warnings=tuple(warnings(ruleset, SOURCE)))
