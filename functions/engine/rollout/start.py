"""A document in which another ruleset is the candidate of the active one."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import yaml

from engine.errors import RulesetEditError

_SHARED: Final[dict[str, Any]] = {"base_currency": None, "exchange_rates": {}}
"""What both sides have in common, and what leaving it out means."""

_WIDTH: Final = 120
"""Characters of a line, in a document that is written anew."""


def with_candidate(champion: str, candidate: str, share_percent: float) -> str:
    """Make a ruleset the candidate of another.

    Parameters
    ----------
    champion : str
        The active document; a candidate that it has is replaced.
    candidate : str
        A ruleset's document, complete in itself. Its guardrails, if it has any, become those of the document.
    share_percent : float
        Of the users for whom it decides; 0 to 50.

    Returns
    -------
    str
        JSON, which YAML's reader reads, too. It is to be checked like any document.

    Raises
    ------
    RulesetEditError
        Where one of them is no mapping, or they differ in what both sides have in common.
    """
    document, other = _mapping(champion, "the active document"), _mapping(candidate, "the candidate")
    other.pop("candidate", None)
    for name, without in _SHARED.items():
        if other.pop(name, without) != document.get(name, without):
            raise RulesetEditError(
                f"the candidate's {name} are not those of the active ruleset; deploy them to all users first"
            )
    if "guardrails" in other:
        document["guardrails"] = other.pop("guardrails")
    if other.get("lists") == document.get("lists"):
        other.pop("lists", None)
    document["candidate"] = {"share": share_percent} | other
    return msgspec.json.encode(document).decode()


def candidate_alone(document: str) -> str:
    """Make a ruleset of its own of the candidate in a document, with what it shares with the champion. Comments are lost.

    Raises
    ------
    RulesetEditError
        Where the document has no candidate.
    """
    whole = _mapping(document, "the document")
    candidate = whole.get("candidate")
    if not isinstance(candidate, dict):
        raise RulesetEditError("the document has no candidate")
    candidate = {name: value for name, value in candidate.items() if name != "share"}
    shared = {name: whole[name] for name in (*_SHARED, "lists", "guardrails") if name in whole}
    version = candidate.pop("version", None)
    alone = {"version": version} | shared | candidate
    return yaml.safe_dump(alone, sort_keys=False, allow_unicode=True, width=_WIDTH)


def named_models(document: str) -> list[str]:
    """The sha256 of each model that a document names, the champion's first; none where it is no such document."""
    try:
        content = yaml.safe_load(document)
    except yaml.YAMLError:
        return []
    sides = [content, content.get("candidate")] if isinstance(content, dict) else []
    sections = [side.get("model") for side in sides if isinstance(side, dict)]
    named = [section.get("sha256") for section in sections if isinstance(section, dict)]
    return [sha256 for sha256 in dict.fromkeys(named) if isinstance(sha256, str)]


def _mapping(text: str, what: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RulesetEditError(f"{what} is no YAML") from error
    if not isinstance(content, dict):
        raise RulesetEditError(f"{what} is no mapping")
    return content
