"""Changes of a ruleset's text: its candidate is taken out or gets another share, rules are suspended, lists get entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import yaml

from contract.side import Side
from engine.errors import RulesetEditError
from engine.rollout.guard import Action
from engine.rollout.yaml_text import (
    checked,
    content,
    end_of,
    end_of_line,
    field,
    items,
    mapping,
    root_of,
    text_of,
    without_field,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from contract.ruleset_change import ListEntry
    from engine.rollout.guard import Finding

_CANDIDATE: Final = "candidate"
_DRAW_KEY: Final = "draw_key"
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
    return without_field(text, _CANDIDATE)


def with_share(text: str, share_percent: float, draw_key: str | None = None) -> str:
    """Give the candidate another share of the users.

    Parameters
    ----------
    text : str
        A checked document with a candidate.
    share_percent : float
        0 to 50.
    draw_key : str | None
        For a candidate that has none; one that it has stays, and with it its users.

    Raises
    ------
    RulesetEditError
        As :func:`without_candidate`.
    """
    root = root_of(text)
    candidate = mapping(field(root, _CANDIDATE), "the candidate")
    share = field(candidate, "share")
    if not isinstance(share, yaml.ScalarNode):
        raise RulesetEditError("the candidate has no share")
    expected = content(root)
    expected[_CANDIDATE]["share"] = percent(share_percent)
    begin, end = share.start_mark.index, share.end_mark.index
    text = text[:begin] + percent(share_percent) + text[end:]
    if draw_key is not None and field(candidate, _DRAW_KEY) is None:
        expected[_CANDIDATE][_DRAW_KEY] = draw_key
        first = next(key for key, _ in candidate.value if key.value == "share").start_mark
        behind = ", " if candidate.flow_style else "\n" + " " * first.column
        text = f'{text[: first.index]}"{_DRAW_KEY}": "{draw_key}"{behind}{text[first.index :]}'
    return checked(text, expected)


def percent(share: float) -> str:
    """Write a share.

    Examples
    --------
    >>> percent(10.0), percent(0), percent(2.5)
    ('10', '0', '2.5')
    """
    return str(int(share)) if share == int(share) else repr(share)


def with_entries(text: str, entries: Iterable[ListEntry]) -> str:
    """Add entries to lists of the ruleset, and to those of the same name that its candidate has.

    Parameters
    ----------
    text : str
        A checked document.
    entries : Iterable[ListEntry]
        At least one. Whether they are good, and not there already, is for the check of the document to say.

    Returns
    -------
    str
        The document with them at the end of their lists, written as JSON.

    Raises
    ------
    RulesetEditError
        Where there is no such list, or the text cannot be changed so that nothing else changes.
    """
    by_list: dict[str, list[dict[str, str]]] = {}
    for entry in entries:
        values = {"value": entry.value, "until": entry.until, "note": entry.note}
        by_list.setdefault(entry.list_name, []).append({name: each for name, each in values.items() if each})
    root = root_of(text)
    expected = content(root)
    edits: list[tuple[int, str]] = []
    missing = set(by_list)
    candidate = field(root, _CANDIDATE)
    sides = [(root, expected)]
    if isinstance(candidate, yaml.MappingNode):
        sides.append((candidate, expected[_CANDIDATE]))
    for side, its in sides:
        lists = field(side, "lists")
        for name, added in by_list.items():
            node = field(lists, name) if isinstance(lists, yaml.MappingNode) else None
            if not isinstance(node, yaml.MappingNode):
                continue
            missing.discard(name)
            edits.append(_addition(text, name, field(node, "entries"), added))
            its["lists"][name]["entries"] += added
    if missing or not by_list:
        raise RulesetEditError(
            f"the ruleset has no list '{min(missing)}'" if missing else "no entry is named"
        )
    for place, new in sorted(edits, reverse=True):
        text = text[:place] + new + text[place:]
    return checked(text, expected)


def _addition(
    text: str, name: str, entries: yaml.Node | None, added: list[dict[str, str]]
) -> tuple[int, str]:
    """Where new entries of a list are written, and what."""
    if not isinstance(entries, yaml.SequenceNode):
        raise RulesetEditError(f"list '{name}' has no entries")
    written = [msgspec.json.encode(each).decode() for each in added]
    if entries.flow_style:
        return entries.end_mark.index - 1, (", " if entries.value else "") + ", ".join(written)
    end = end_of_line(text, end_of(entries))
    before = "" if text[:end].endswith("\n") else "\n"
    dash = " " * entries.start_mark.column + "- "
    return end, before + "".join(f"{dash}{each}\n" for each in written)


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
    its: Any = expected if side is Side.CHAMPION else expected[_CANDIDATE]
    for node, values in zip(items(field(whose, "rules")), its["rules"], strict=True):
        rule_id = text_of(field(node, "id"))
        if rule_id not in missing:
            continue
        missing.remove(rule_id)
        values["mode"] = _SUSPENDED
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
