"""The text of a document beside its nodes: where a node begins and ends, and what the whole says.

An edit cuts the text where YAML's parser says that something begins and ends. What comes out is read again and compared with what must
come out, since anchors and other rare forms of YAML may lead a cut astray.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from engine.errors import RulesetEditError

if TYPE_CHECKING:
    from collections.abc import Iterator


def root_of(text: str, what: str = "the document") -> yaml.MappingNode:
    """Read a document's nodes.

    Raises
    ------
    RulesetEditError
        Where it is no YAML, or no mapping.
    """
    try:
        return mapping(yaml.compose(text, Loader=yaml.SafeLoader), what)
    except yaml.YAMLError as error:
        raise RulesetEditError(f"{what} is no YAML") from error


def checked(text: str, expected: dict[str, Any]) -> str:
    """Give the text if it says what is expected.

    Raises
    ------
    RulesetEditError
        Where it says something else.
    """
    try:
        found = content(mapping(yaml.compose(text, Loader=yaml.SafeLoader), "the document"))
    except yaml.YAMLError as error:
        raise RulesetEditError("the document would not be YAML any more") from error
    if found != expected:
        raise RulesetEditError("more would change in the document than what is to change")
    return text


def end_of(node: yaml.Node) -> int:
    """Index behind a node's last character; a block collection's own mark is behind the comments that follow."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return end_of(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def end_of_line(text: str, index: int) -> int:
    """Index behind the line that a node ends in: a comment behind its last value is the node's."""
    return text.find("\n", index - 1 if text[index - 1 : index] == "\n" else index) + 1 or len(text)


def content(node: yaml.Node) -> Any:
    """What a node says, with every scalar as its text."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: content(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [content(each) for each in node.value]
    return node.value


def mapping(node: yaml.Node | None, what: str) -> yaml.MappingNode:
    """Give a node that is a mapping; RulesetEditError where it is none."""
    if not isinstance(node, yaml.MappingNode):
        raise RulesetEditError(f"{what} is no mapping")
    return node


def items(node: yaml.Node | None, what: str = "a rule") -> Iterator[yaml.MappingNode]:
    """The mappings of a list."""
    for item in node.value if isinstance(node, yaml.SequenceNode) else ():
        yield mapping(item, what)


def field(node: yaml.MappingNode, name: str) -> yaml.Node | None:
    """The value of a mapping's field; None where it has none."""
    return next((value for key, value in node.value if key.value == name), None)


def scalar(node: yaml.Node | None) -> str | None:
    """The text of a scalar; None where it is none."""
    return node.value if isinstance(node, yaml.ScalarNode) else None
