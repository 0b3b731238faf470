"""A document in which another ruleset is the candidate of the active one, and the candidate as a ruleset of its own.

Where both are YAML in blocks, as people write it, the text is cut and put together, and comments stay. Else the result is JSON, which YAML's reader reads, too.
"""

from __future__ import annotations

import textwrap
from typing import Any, Final

import msgspec
import yaml

from engine.errors import RulesetEditError
from engine.rollout.edits import percent
from engine.rollout.yaml_text import checked, content, field, place_of, root_of, without_field

_CANDIDATE: Final = "candidate"
_DRAW_KEY: Final = "draw_key"
_GUARDRAILS: Final = "guardrails"
_LISTS: Final = "lists"
_SHARED: Final[dict[str, Any]] = {"base_currency": None, "exchange_rates": {}}
"""What both sides have in common, and what leaving it out means."""
_OWN: Final = (_GUARDRAILS, _LISTS)
"""What a candidate has from the champion unless it has its own."""


def with_candidate(champion: str, candidate: str, share_percent: float, draw_key: str | None = None) -> str:
    """Make a ruleset the candidate of another.

    Parameters
    ----------
    champion : str
        The active document; a candidate that it has is replaced.
    candidate : str
        A ruleset's document, complete in itself. Guardrails other than the active document's stay its own, and leave with it.
    share_percent : float
        Of the users for whom it decides; 0 to 50.
    draw_key : str | None
        Random, for a new candidate; see :class:`engine.rules.sides.UserDraw`. One of the version that the active document's candidate has keeps that one's key,
        and with it its users. None writes none.

    Returns
    -------
    str
        YAML. It is to be checked like any document.

    Raises
    ------
    RulesetEditError
        Where one of them is no mapping, or they differ in what both sides have in common.
    """
    document, other = _mapping(champion, "the active document"), _mapping(candidate, "the candidate")
    other.pop(_CANDIDATE, None)
    before = document.get(_CANDIDATE)
    if isinstance(before, dict) and str(before.get("version")) == str(other.get("version")):
        draw_key = before.get(_DRAW_KEY, draw_key)
    for name, without in _SHARED.items():
        if other.pop(name, without) != document.get(name, without):
            raise RulesetEditError(
                f"the candidate's {name} are not those of the active ruleset; deploy them to all users first"
            )
    for name in _OWN:
        if other.get(name) == document.get(name):
            other.pop(name, None)
    try:
        own: list[str] = [name for name in _OWN if name in other]
        return _joined_text(champion, candidate, own, share_percent, draw_key)
    except RulesetEditError:  # a rare form of YAML, or JSON
        drawn = {} if draw_key is None else {_DRAW_KEY: draw_key}
        document[_CANDIDATE] = {"share": share_percent} | drawn | other
        return _as_json(document)


def candidate_alone(active: str, *, keeps_guardrails: bool = False) -> str:
    """Make the candidate of a document a ruleset that is complete in itself, with the champion's currency and rates, and lists unless it has its own.

    Parameters
    ----------
    active : str
        A document with a candidate.
    keeps_guardrails : bool
        Whether it keeps guardrails of its own, for whoever goes on from it to another candidate. They said how far it may be from the champion, so
        where it takes the champion's place, the document has the champion's, for the next candidate.

    Raises
    ------
    RulesetEditError
        Where the document has no candidate.
    """
    document = _mapping(active, "the active document")
    candidate = document.get(_CANDIDATE)
    if not isinstance(candidate, dict):
        raise RulesetEditError("the active ruleset has no candidate")
    left = ["share", *(() if keeps_guardrails or _GUARDRAILS not in candidate else (_GUARDRAILS,))]
    if _DRAW_KEY in candidate:
        left.append(_DRAW_KEY)
    taken = [
        name for name in (*_SHARED, *_OWN) if name in document and (name not in candidate or name in left)
    ]
    try:
        return _separate_text(active, left, taken)
    except RulesetEditError:  # as above
        alone = {name: value for name, value in candidate.items() if name not in left}
        return _as_json(alone | {name: document[name] for name in taken})


def named_models(document: str) -> list[str]:
    """The sha256 of each model that a document names, the champion's first; none where it is no such document."""
    try:
        content = yaml.safe_load(document)
    except yaml.YAMLError:
        return []
    sides = [content, content.get(_CANDIDATE)] if isinstance(content, dict) else []
    sections = [side.get("model") for side in sides if isinstance(side, dict)]
    named = [section.get("sha256") for section in sections if isinstance(section, dict)]
    return [sha256 for sha256 in dict.fromkeys(named) if isinstance(sha256, str)]


def _joined_text(
    champion: str, candidate: str, own: list[str], share_percent: float, draw_key: str | None
) -> str:
    text, other = champion, candidate
    for name in (_CANDIDATE, *_SHARED, *(name for name in _OWN if name not in own)):
        if field(root_of(other), name) is not None:
            other = without_field(other, name)
    if field(root_of(text), _CANDIDATE) is not None:
        text = without_field(text, _CANDIDATE)
    root, other_root = _in_blocks(text), _in_blocks(other)
    share = percent(share_percent)
    expected = content(root)
    drawn = {} if draw_key is None else {_DRAW_KEY: draw_key}
    expected[_CANDIDATE] = {"share": share} | drawn | content(other_root)
    # In quotation marks: digits alone would be a number.
    line = "" if draw_key is None else f'  {_DRAW_KEY}: "{draw_key}"\n'
    parts = [text, f"{_CANDIDATE}:\n  share: {share}\n{line}{textwrap.indent(other, '  ')}"]
    return checked("".join(map(_with_line_end, parts)), expected)


def _separate_text(active: str, left: list[str], taken: list[str]) -> str:
    root = _in_blocks(active)
    candidate = field(root, _CANDIDATE)
    if not isinstance(candidate, yaml.MappingNode) or candidate.flow_style:
        raise RulesetEditError("the candidate is not written in blocks")
    _, end = place_of(active, root, _CANDIDATE)
    column = candidate.start_mark.column
    first = active.rfind("\n", 0, candidate.start_mark.index) + 1
    lines = active[first:end].splitlines(keepends=True)
    own = "".join(line[column:] if not line[:column].strip() else line.lstrip(" ") for line in lines)
    for name in left:
        own = without_field(own, name)
    whole = content(root)
    expected = {name: value for name, value in whole[_CANDIDATE].items() if name not in left}
    expected |= {name: whole[name] for name in taken}
    parts = [own, *(_field_text(active, name) for name in taken)]
    return checked("".join(map(_with_line_end, parts)), expected)


def _in_blocks(text: str) -> yaml.MappingNode:
    root = root_of(text)
    if root.flow_style:
        raise RulesetEditError("the document is not written in blocks")
    return root


def _field_text(text: str, name: str) -> str:
    begin, end = place_of(text, _in_blocks(text), name)
    return text[begin:end]


def _with_line_end(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"


def _as_json(document: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"


def _mapping(text: str, what: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RulesetEditError(f"{what} is no YAML") from error
    if not isinstance(content, dict):
        raise RulesetEditError(f"{what} is no mapping")
    return content
