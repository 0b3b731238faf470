"""Changes that an author makes to a document's text: a rule, entries of a list, the version. All else keeps its place, comments included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import yaml

from engine.errors import RulesetEditError
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
    from collections.abc import Collection, Mapping, Sequence

    from contract.authoring import Entry

ENTRY_INDENT: Final = 4
"""Spaces before an entry that is written on a line of its own, more than its list has."""


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
            (place for place, node in enumerate(nodes) if scalar(field(node, "id")) == rule_id), place
        )
        if place == len(nodes):
            raise RulesetEditError(f"the ruleset has no rule '{rule_id}'")
    if not new.strip():
        return ChangedRule(_without_rule(text, root, nodes, place), 1)
    return _with_rule_at(text, root, nodes, place, new.strip())


def with_entries(text: str, list_name: str, added: Sequence[Entry], removed: Collection[str]) -> str:
    """Put entries on a list of the champion and take others off; an entry whose value is on it is replaced.

    Raises
    ------
    RulesetEditError
        Where there is no such list or value, or the text cannot be changed so that nothing else changes.
    """
    absent = set(removed) - {value for value, _ in _entries_of(text, list_name)}
    if absent:
        raise RulesetEditError(f"{len(absent)} of the values to take off are not on list '{list_name}'")
    for value in removed:
        text = _without_entry(text, list_name, value)
    for entry in added:
        text = _with_entry(text, list_name, entry)
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


def _entries_node(root: yaml.MappingNode, list_name: str) -> yaml.SequenceNode:
    lists = field(root, "lists")
    one = field(lists, list_name) if isinstance(lists, yaml.MappingNode) else None
    entries = field(mapping(one, f"list '{list_name}'"), "entries")
    if not isinstance(entries, yaml.SequenceNode):
        raise RulesetEditError(f"entries of list '{list_name}' is no list")
    return entries


def _entries_of(text: str, list_name: str) -> list[tuple[str | None, yaml.MappingNode]]:
    entries = _entries_node(root_of(text), list_name)
    return [(scalar(field(node, "value")), node) for node in items(entries, "an entry")]


def _with_entry(text: str, list_name: str, entry: Entry) -> str:
    root = root_of(text)
    node = _entries_node(root, list_name)
    nodes = list(items(node, "an entry"))
    expected = content(root)
    wanted: list[Any] = expected["lists"][list_name]["entries"]
    fields = {name: value for name, value in msgspec.structs.asdict(entry).items() if value}
    written = _written(fields)
    same = [place for place, each in enumerate(nodes) if scalar(field(each, "value")) == entry.value]
    if same:
        begin, end = nodes[same[0]].start_mark.index, end_of(nodes[same[0]])
        wanted[same[0]] = fields
        return checked(text[:begin] + written + text[len(text[:end].rstrip()) :], expected)
    wanted.append(fields)
    if node.flow_style or not nodes:
        column = _column_of_line(text, node.start_mark.index) + ENTRY_INDENT
        end = end_of(nodes[-1]) if nodes else node.start_mark.index + 1
        tail = text[end:] if nodes else text[node.end_mark.index - 1 :]
        separator = "," if nodes else ""
        return checked(f"{text[:end]}{separator}\n{' ' * column}{written}{tail}", expected)
    end = end_of_line(text, end_of(nodes[-1]))
    head = text[:end] if text[:end].endswith("\n") else text[:end] + "\n"
    return checked(f"{head}{' ' * node.start_mark.column}- {written}\n{text[end:]}", expected)


def _without_entry(text: str, list_name: str, value: str) -> str:
    root = root_of(text)
    node = _entries_node(root, list_name)
    nodes = list(items(node, "an entry"))
    place = next(place for place, each in enumerate(nodes) if scalar(field(each, "value")) == value)
    expected = content(root)
    del expected["lists"][list_name]["entries"][place]
    if len(nodes) == 1:
        begin, end, left = node.start_mark.index, len(text[: end_of(node)].rstrip()), "[]"
        if not node.flow_style:
            begin, left = text.rfind(":", 0, begin) + 1, " []"
    elif node.flow_style:
        begin = nodes[place].start_mark.index if place == 0 else end_of(nodes[place - 1])
        end, left = (nodes[1].start_mark.index if place == 0 else end_of(nodes[place])), ""
    else:
        begin = text.rfind("\n", 0, nodes[place].start_mark.index) + 1
        end, left = end_of_line(text, end_of(nodes[place])), ""
    return checked(text[:begin] + left + text[end:], expected)


def _written(fields: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{name}: {_quoted(value)}' for name, value in fields.items())}}}"


def _quoted(value: str) -> str:
    """Text in double quotes, as JSON and YAML write it."""
    return msgspec.json.encode(value).decode()


def _column_of_line(text: str, index: int) -> int:
    line = text[text.rfind("\n", 0, index) + 1 : index]
    return len(line) - len(line.lstrip(" "))


def _dedented(line: str, column: int) -> str:
    return line[column:] if not line[:column].strip() else line.lstrip()
