"""Cuts in a ruleset's text, where YAML's parser says that something begins and ends, so that comments and all else keep their place.

What comes out is read again and compared with what must come out, since anchors and other rare forms of YAML may lead a cut astray.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from engine.errors import RulesetEditError

if TYPE_CHECKING:
    from collections.abc import Iterator


def root_of(text: str, what: str = "the document") -> yaml.MappingNode:
    """Parse a document; RulesetEditError where it is no mapping."""
    try:
        return mapping(yaml.compose(text, Loader=yaml.SafeLoader), what)
    except yaml.YAMLError as error:
        raise RulesetEditError(f"{what} is no YAML") from error


def checked(text: str, expected: dict[str, Any]) -> str:
    """Give a changed text back; RulesetEditError where it does not say what it must (as :func:`content` has it)."""
    try:
        found = content(mapping(yaml.compose(text, Loader=yaml.SafeLoader), "the document"))
    except yaml.YAMLError as error:
        raise RulesetEditError("the document would not be YAML any more") from error
    if found != expected:
        raise RulesetEditError("more would change in the document than what is to change")
    return text


def place_of(text: str, root: yaml.MappingNode, name: str) -> tuple[int, int]:
    """Indices at which a field of the root begins and ends, so that the text without it is a document again.

    Parameters
    ----------
    text : str
        The document.
    root : yaml.MappingNode
        Its root.
    name : str
        A field that the root has once.

    Raises
    ------
    RulesetEditError
        Where it has no such field.
    """
    places = [place for place, (key, _) in enumerate(root.value) if key.value == name]
    if len(places) != 1:
        raise RulesetEditError(f"the document has no {name}")
    (place,) = places
    key, value = root.value[place]
    begin, end = key.start_mark.index, end_of(value)
    if root.flow_style:
        if place + 1 < len(root.value):
            return begin, root.value[place + 1][0].start_mark.index
        return (end_of(root.value[place - 1][1]) if place else begin), end
    # To the end of its line: a comment behind the last value belongs to it.
    return begin, end_of_line(text, end)


def without_field(text: str, name: str) -> str:
    """Take a field of the root out of a document; RulesetEditError where that cannot be done."""
    root = root_of(text)
    begin, end = place_of(text, root, name)
    expected = content(root)
    del expected[name]
    return checked(text[:begin] + text[end:], expected)


def end_of_line(text: str, end: int) -> int:
    """Index of the next line's beginning; ``end`` itself where it is one."""
    return text.find("\n", end - 1 if text[end - 1 : end] == "\n" else end) + 1 or len(text)


def end_of(node: yaml.Node) -> int:
    """Index behind a node's last character; a block collection's own mark is behind the comments that follow."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return end_of(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def content(node: yaml.Node) -> Any:
    """What a node says, with every scalar as its text."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: content(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [content(each) for each in node.value]
    return node.value


def mapping(node: yaml.Node | None, what: str) -> yaml.MappingNode:
    """Give the node back; RulesetEditError where it is no mapping."""
    if not isinstance(node, yaml.MappingNode):
        raise RulesetEditError(f"{what} is no mapping")
    return node


def items(node: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    """The mappings of a list; none where it is no list."""
    for item in node.value if isinstance(node, yaml.SequenceNode) else ():
        yield mapping(item, "a rule")


def field(node: yaml.MappingNode, name: str) -> yaml.Node | None:
    """A field's value; None where there is none."""
    return next((value for key, value in node.value if key.value == name), None)


def text_of(node: yaml.Node | None) -> str | None:
    """A scalar's text; None where it is none."""
    return node.value if isinstance(node, yaml.ScalarNode) else None
