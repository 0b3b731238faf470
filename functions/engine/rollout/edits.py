"""Changes of a ruleset's text: its candidate is taken out, or rules are suspended. All else keeps its place, comments included.

How a text is cut: :mod:`engine.rules.document_text`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contract.side import Side
from engine.errors import RulesetEditError
from engine.rollout.guard import Action
from engine.rules.document_text import (
    checked,
    content,
    end_of,
    end_of_line,
    field,
    items,
    mapping,
    root_of,
    scalar,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    import yaml

    from engine.rollout.guard import Finding

_CANDIDATE: Final = "candidate"
_SUSPENDED: Final = "suspended"


def has_candidate(text: str) -> bool:
    """Whether a checked document has a candidate."""
    return field(root_of(text), _CANDIDATE) is not None


def without_candidate(text: str) -> str:
    """Take the candidate out of a document.

    Parameters
    ----------
    text : str
        A checked document with a candidate.

    Returns
    -------
    str
        The document without it.

    Raises
    ------
    RulesetEditError
        Where the text cannot be cut so that only the candidate is missing.
    """
    root = root_of(text)
    places = [place for place, (key, _) in enumerate(root.value) if key.value == _CANDIDATE]
    if not places:
        raise RulesetEditError("the document has no candidate")
    (place,) = places
    key, value = root.value[place]
    begin, end = key.start_mark.index, end_of(value)
    if root.flow_style:
        if place + 1 < len(root.value):
            end = root.value[place + 1][0].start_mark.index
        elif place:
            begin = end_of(root.value[place - 1][1])
    else:
        end = end_of_line(text, end)
    expected = content(root)
    del expected[_CANDIDATE]
    return checked(text[:begin] + text[end:], expected)


def with_suspended(text: str, side: Side, rule_ids: Collection[str]) -> str:
    """Suspend rules of one side.

    Parameters
    ----------
    text : str
        A checked document.
    side : Side
        Whose rules they are.
    rule_ids : Collection[str]
        Rules that the side has.

    Returns
    -------
    str
        The document in which they have the mode ``suspended``.

    Raises
    ------
    RulesetEditError
        Where there is no such rule, or the text cannot be changed so that nothing else changes.
    """
    root = root_of(text)
    expected = content(root)
    edits: list[tuple[int, int, str]] = []
    missing = set(rule_ids)
    whose = root if side is Side.CHAMPION else mapping(field(root, _CANDIDATE), _CANDIDATE)
    its = expected if side is Side.CHAMPION else expected[_CANDIDATE]
    for node, its_content in zip(items(field(whose, "rules")), its["rules"], strict=True):
        rule_id = scalar(field(node, "id"))
        if rule_id not in missing:
            continue
        missing.remove(rule_id)
        its_content["mode"] = _SUSPENDED
        edits.append(_suspension(node))
    if missing:
        raise RulesetEditError(f"the {side.value} has no rule '{min(missing)}'")
    for begin, end, new in sorted(edits, reverse=True):
        text = text[:begin] + new + text[end:]
    return checked(text, expected)


def applied(text: str, finding: Finding) -> str:
    """Do to a document what was found: withdraw its candidate, suspend rules, or nothing.

    Parameters
    ----------
    text : str
        The document that was judged.
    finding : Finding
        As :func:`engine.rollout.guard.evaluate` gives it.

    Raises
    ------
    RulesetEditError
        As :func:`without_candidate` and :func:`with_suspended` do.
    """
    if finding.action is Action.WITHDRAW:
        text = without_candidate(text)
    for side in Side:
        rule_ids = {each.rule_id for each in finding.suspensions if each.side is side}
        if rule_ids:
            text = with_suspended(text, side, rule_ids)
    return text


def _suspension(rule: yaml.MappingNode) -> tuple[int, int, str]:
    """Where a rule's text is replaced, and by what."""
    mode = field(rule, "mode")
    if mode is not None:
        return mode.start_mark.index, mode.end_mark.index, f'"{_SUSPENDED}"'
    first = rule.value[0][0].start_mark
    behind = ", " if rule.flow_style else "\n" + " " * first.column
    return first.index, first.index, f'"mode": "{_SUSPENDED}"{behind}'
