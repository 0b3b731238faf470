"""Changes of a ruleset's text: its candidate is taken out, or rules are suspended. All else keeps its place, comments included.

The text is cut where YAML's parser says that something begins and ends. What comes out is read again and compared with what must come out, since
anchors and other rare forms of YAML may lead a cut astray.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml

from contract.side import Side
from engine.errors import RulesetEditError
from engine.rollout.guard import Action

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from engine.rollout.guard import Finding

_CANDIDATE: Final = "candidate"
_SUSPENDED: Final = "suspended"


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
    root = _mapping(yaml.compose(text, Loader=yaml.SafeLoader), "the document")
    places = [place for place, (key, _) in enumerate(root.value) if key.value == _CANDIDATE]
    if not places:
        raise RulesetEditError("the document has no candidate")
    (place,) = places
    key, value = root.value[place]
    begin, end = key.start_mark.index, _end(value)
    if root.flow_style:
        if place + 1 < len(root.value):
            end = root.value[place + 1][0].start_mark.index
        elif place:
            begin = _end(root.value[place - 1][1])
    else:
        # To the end of its line: a comment behind the last value is the candidate's.
        end = text.find("\n", end - 1 if text[end - 1 : end] == "\n" else end) + 1 or len(text)
    expected = _content(root)
    del expected[_CANDIDATE]
    return _checked(text[:begin] + text[end:], expected)


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
    root = _mapping(yaml.compose(text, Loader=yaml.SafeLoader), "the document")
    expected = _content(root)
    edits: list[tuple[int, int, str]] = []
    missing = set(rule_ids)
    whose = root if side is Side.CHAMPION else _mapping(_field(root, _CANDIDATE), _CANDIDATE)
    its = expected if side is Side.CHAMPION else expected[_CANDIDATE]
    for node, content in zip(_items(_field(whose, "rules")), its["rules"], strict=True):
        rule_id = _text(_field(node, "id"))
        if rule_id not in missing:
            continue
        missing.remove(rule_id)
        content["mode"] = _SUSPENDED
        edits.append(_suspension(node))
    if missing:
        raise RulesetEditError(f"the {side.value} has no rule '{min(missing)}'")
    for begin, end, new in sorted(edits, reverse=True):
        text = text[:begin] + new + text[end:]
    return _checked(text, expected)


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
    mode = _field(rule, "mode")
    if mode is not None:
        return mode.start_mark.index, mode.end_mark.index, f'"{_SUSPENDED}"'
    first = rule.value[0][0].start_mark
    behind = ", " if rule.flow_style else "\n" + " " * first.column
    return first.index, first.index, f'"mode": "{_SUSPENDED}"{behind}'


def _checked(text: str, expected: dict[str, Any]) -> str:
    try:
        found = _content(_mapping(yaml.compose(text, Loader=yaml.SafeLoader), "the document"))
    except yaml.YAMLError as error:
        raise RulesetEditError("the document would not be YAML any more") from error
    if found != expected:
        raise RulesetEditError("more would change in the document than what is to change")
    return text


def _end(node: yaml.Node) -> int:
    """Index behind a node's last character; a block collection's own mark is behind the comments that follow."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _content(node: yaml.Node) -> Any:
    """What a node says, with every scalar as its text."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: _content(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_content(each) for each in node.value]
    return node.value


def _mapping(node: yaml.Node | None, what: str) -> yaml.MappingNode:
    if not isinstance(node, yaml.MappingNode):
        raise RulesetEditError(f"{what} is no mapping")
    return node


def _items(node: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    for item in node.value if isinstance(node, yaml.SequenceNode) else ():
        yield _mapping(item, "a rule")


def _field(node: yaml.MappingNode, name: str) -> yaml.Node | None:
    return next((value for key, value in node.value if key.value == name), None)


def _text(node: yaml.Node | None) -> str | None:
    return node.value if isinstance(node, yaml.ScalarNode) else None
