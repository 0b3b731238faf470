"""Changes that an author makes to a document's text: a rule, entries that are taken off a list, the version. All else keeps its place, comments included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import yaml

from engine.errors import RulesetEditError
from engine.rollout.yaml_text import (
    checked,
    content,
    end_of,
    end_of_line,
    field,
    items,
    root_of,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_CANDIDATE: Final = "candidate"


class ChangedRule(NamedTuple):
    """A document with a changed rule."""

    text: str
    first_line: int
    """1-based line at which the rule begins; 1 where it was taken out."""


def rule_text(text: str, rule: yaml.MappingNode) -> str:
    """The text of a rule without the indentation that it has in the document."""
    column = rule.start_mark.column
    lines = text[rule.start_mark.index : end_of(rule)].rstrip().split("\n")
    return "\n".join([lines[0], *(_dedented(line, column) for line in lines[1:])])


def with_version(text: str, version: str) -> str:
    """Give a document another version.

    Raises
    ------
    RulesetEditError
        Where it has none, or more would change.
    """
    root = root_of(text)
    node = field(root, "version")
    if node is None:
        raise RulesetEditError("the document has no version")
    changed = text[: node.start_mark.index] + _quoted(version) + text[node.end_mark.index :]
    return checked(changed, content(root) | {"version": version})


def with_rule(text: str, rule_id: str, new: str) -> ChangedRule:
    """Replace a rule of the champion, add one behind the others, or take one out.

    Parameters
    ----------
    text : str
        A checked document.
    rule_id : str
        Of the rule that is replaced; empty to add one.
    new : str
        The rule's text, from the first column on; empty to take the rule out. It may be wrong: the checker says what is.

    Raises
    ------
    RulesetEditError
        Where there is no such rule, or the text cannot be changed so that nothing else changes.
    """
    root = root_of(text)
    rules = field(root, "rules")
    if not isinstance(rules, yaml.SequenceNode) or rules.flow_style or not rules.value:
        raise RulesetEditError("the rules are not a list with one item a line; change the whole document")
    nodes = list(items(rules))
    place = len(nodes)
    if rule_id:
        place = next(
            (place for place, node in enumerate(nodes) if text_of(field(node, "id")) == rule_id), place
        )
        if place == len(nodes):
            raise RulesetEditError(f"the ruleset has no rule '{rule_id}'")
    if not new.strip():
        return ChangedRule(_without_rule(text, root, nodes, place), 1)
    return _with_rule_at(text, root, nodes, place, new.strip())


def without_entries(text: str, list_name: str, values: Collection[str]) -> str:
    """Take entries off a list of the ruleset, and off the list of the same name that its candidate has.

    Parameters
    ----------
    text : str
        A checked document.
    list_name : str
        The list.
    values : Collection[str]
        As the document has them.

    Raises
    ------
    RulesetEditError
        Where the ruleset has no such list or value, or the text cannot be changed so that nothing else changes.
    """
    for value in values:
        text = _without_entry(text, (), list_name, value, is_needed=True)
        text = _without_entry(text, (_CANDIDATE,), list_name, value, is_needed=False)
    return text


def _with_rule_at(
    text: str, root: yaml.MappingNode, nodes: list[yaml.MappingNode], place: int, new: str
) -> ChangedRule:
    column = nodes[-1].start_mark.column
    shifted = ("\n" + " " * column).join(new.splitlines())
    shifted = "\n".join(line.rstrip() for line in shifted.split("\n"))
    if place < len(nodes):
        begin, end = nodes[place].start_mark.index, end_of(nodes[place])
        end = len(text[:end].rstrip())
        changed = text[:begin] + shifted + text[end:]
    else:
        dash = nodes[-1].start_mark.column - 2
        end = end_of_line(text, end_of(nodes[-1]))
        head = text[:end].rstrip() + "\n\n" + " " * max(dash, 0) + "- "
        begin = len(head)
        changed = head + shifted + "\n" + text[end:]
    line = changed.count("\n", 0, begin) + 1
    try:
        node = yaml.compose(new, Loader=yaml.SafeLoader)
        yaml.compose(changed, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return ChangedRule(changed, line)  # the checker says where it is no YAML
    expected = content(root)
    expected["rules"][place : place + 1] = [None if node is None else content(node)]
    return ChangedRule(checked(changed, expected), line)


def _without_rule(text: str, root: yaml.MappingNode, nodes: Sequence[yaml.MappingNode], place: int) -> str:
    if place == len(nodes) or len(nodes) == 1:
        raise RulesetEditError("a ruleset has at least one rule")
    begin = text.rfind("\n", 0, nodes[place].start_mark.index) + 1
    end = end_of_line(text, end_of(nodes[place]))
    expected = content(root)
    del expected["rules"][place]
    return checked(text[:begin] + text[end:].lstrip("\n"), expected)


def _without_entry(text: str, side: tuple[str, ...], list_name: str, value: str, *, is_needed: bool) -> str:
    root = root_of(text)
    expected: Any = content(root)
    entries: yaml.Node | None = root
    its = expected
    for name in (*side, "lists", list_name, "entries"):
        entries = field(entries, name) if isinstance(entries, yaml.MappingNode) else None
        its = its.get(name) if isinstance(its, dict) else None
    nodes = list(items(entries))
    places = [place for place, each in enumerate(nodes) if text_of(field(each, "value")) == value]
    if not places or not isinstance(entries, yaml.SequenceNode):
        if is_needed:
            raise RulesetEditError(f"the value is not on list '{list_name}'")
        return text
    (place,) = places
    del its[place]
    if len(nodes) == 1:
        begin, end, left = entries.start_mark.index, len(text[: end_of(entries)].rstrip()), "[]"
        if not entries.flow_style:
            begin, left = text.rfind(":", 0, begin) + 1, " []"
    elif entries.flow_style:
        begin = nodes[place].start_mark.index if place == 0 else end_of(nodes[place - 1])
        end, left = (nodes[1].start_mark.index if place == 0 else end_of(nodes[place])), ""
    else:
        begin = text.rfind("\n", 0, nodes[place].start_mark.index) + 1
        end, left = end_of_line(text, end_of(nodes[place])), ""
    return checked(text[:begin] + left + text[end:], expected)


def _quoted(value: str) -> str:
    """Text in double quotes, as JSON and YAML write it."""
    return msgspec.json.encode(value).decode()


def _dedented(line: str, column: int) -> str:
    return line[column:] if not line[:column].strip() else line.lstrip()
