"""The rules of a ruleset: each one read and checked."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

import msgspec
import yaml

from engine.rules.cel.conditions import MAX_ALL_CONDITIONS_CHARACTERS, MAX_CONDITION_CHARACTERS
from engine.rules.document import is_short_scalar
from engine.rules.lists import NAME
from engine.rules.reasons import MAX_REASON_CHARACTERS, reason_problems

if TYPE_CHECKING:
    from engine.rules.cel.conditions import Vocabulary
    from engine.rules.document import Reader

MAX_RULES: Final = 250
"""The most rules of a ruleset."""

MAX_POINTS: Final = 1_000
"""The most points that a rule may add or subtract."""

_MIN_SHARE, _MAX_SHARE = Decimal("0.0001"), Decimal(100)

Mode = Literal["live", "shadow", "suspended"]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, checked."""

    id: str
    when: str
    """Its condition, in CEL."""
    points: int
    """What it adds to the score if it holds; negative for evidence that the payment is legitimate. Never 0."""
    reason: str
    """Template of the sentence for people."""
    mode: Mode = "live"
    """A shadow rule is evaluated and recorded, but adds no points. So is a suspended one, which held for more than its ``max_share``."""
    max_share: float | None = None
    """The largest share of the users with a past for whom it may hold (:mod:`engine.rollout.settled`), in percent; None for any."""
    description: str = ""


def read_rules(reader: Reader, node: yaml.Node, vocabulary: Vocabulary) -> list[Rule]:
    """Read ``rules``; those that cannot be used are left out, each with a problem.

    Parameters
    ----------
    reader : Reader
        Of the ruleset's document.
    node : yaml.Node
        The list.
    vocabulary : Vocabulary
        What conditions may use.
    """
    rules: list[Rule] = []
    ids: set[str] = set()
    for item in reader.items(node, "rules", MAX_RULES):
        id_node = _id_of(item)
        rule_id = str(id_node.value) if id_node else None
        own = reader.of_rule(rule_id)
        if id_node and rule_id in ids:
            own.report(id_node, "an earlier rule has the same id")
        if rule_id:
            ids.add(rule_id)
        rule = _read_rule(own, item, vocabulary)
        if rule:
            rules.append(rule)
    length = sum(len(rule.when) + 2 for rule in rules)
    if length > MAX_ALL_CONDITIONS_CHARACTERS:
        most = MAX_ALL_CONDITIONS_CHARACTERS
        reader.report(node, f"the conditions of all rules have {length} characters; at most {most}")
    return rules


def _id_of(node: yaml.Node) -> yaml.ScalarNode | None:
    """Find the id of a rule for messages about it, even if the id is invalid."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == "id" and isinstance(value, yaml.ScalarNode) and is_short_scalar(value):
            return value
    return None


def _read_rule(reader: Reader, node: yaml.Node, vocabulary: Vocabulary) -> Rule | None:
    """Read a rule; None, and a problem, if it cannot be used."""
    found_before = reader.problem_count
    fields = reader.fields(
        node, "a rule", ("id", "when", "points", "reason"), ("mode", "max_share", "description")
    )
    values: dict[str, object] = {}
    for name, value in fields.items():
        match name:
            case "id":
                values[name] = reader.name(value, "id", NAME, "snake_case (a-z, 0-9, _)")
            case "when":
                values[name] = _read_condition(reader, value, vocabulary)
            case "points":
                values[name] = _read_points(reader, value)
            case "reason":
                values[name] = _read_reason(reader, value)
            case "mode":
                values[name] = reader.choice(value, "mode", ("live", "shadow", "suspended"))
            case "max_share":
                share = reader.decimal(value, "max_share", _MIN_SHARE, _MAX_SHARE)
                values[name] = None if share is None else float(share)
            case _:
                values[name] = reader.text(value, name, multiline=True)
    if values.get("max_share") is not None and isinstance(values.get("when"), str):
        for name in vocabulary.lists_of(str(values["when"])):
            reader.report(
                fields["max_share"],
                f"max_share: the rule asks for the list '{name}'; whoever pays from a listed device could suspend it",
            )
    return msgspec.convert(values, Rule) if reader.problem_count == found_before else None


def _read_condition(reader: Reader, node: yaml.Node, vocabulary: Vocabulary) -> str | None:
    condition = reader.text(node, "when", MAX_CONDITION_CHARACTERS, multiline=True)
    for problem in vocabulary.check(condition) if condition is not None else ():
        reader.report(node, f"when: {problem.message}", problem.offset)
    return condition


def _read_points(reader: Reader, node: yaml.Node) -> int | None:
    points = reader.integer(node, "points", -MAX_POINTS, MAX_POINTS)
    if points == 0:
        reader.report(node, "points is 0; to watch a rule without giving points, set mode: shadow")
    return points


def _read_reason(reader: Reader, node: yaml.Node) -> str | None:
    reason = reader.text(node, "reason", MAX_REASON_CHARACTERS)
    for problem in reason_problems(reason) if reason is not None else ():
        reader.report(node, f"reason: {problem.message}", problem.offset)
    return reason
