"""What a checked document says, as the console shows it: rules with their text, lists with their entries, candidate and bands."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import msgspec
import yaml

from contract.authoring import Bands, Entry, ListOutline, RuleOutline, RulesetOutline, SideOutline
from engine.rollout.author_edits import rule_text
from engine.rollout.yaml_text import content, field, items, mapping, root_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.ruleset import Ruleset

_DRAW_KEY: Final = "draw_key"
_SHOWN_APART: Final = frozenset({"rules", "lists", "candidate"})


def outline(ruleset: Ruleset, text: str) -> RulesetOutline:
    """Outline a document.

    Parameters
    ----------
    ruleset : Ruleset
        The checked document.
    text : str
        Its text.
    """
    root = root_of(text)
    guardrails, candidate = ruleset.guardrails, ruleset.candidate
    lists = _lists(root)
    other = None
    if candidate is not None:
        node = mapping(field(root, "candidate"), "candidate")
        other = _side(candidate.ruleset, text, node, _lists(node) if field(node, "lists") else lists)
    return RulesetOutline(
        digest=ruleset.digest,
        base_currency=ruleset.base_currency,
        champion=_side(ruleset, text, root, lists),
        bands=Bands(
            alert_rate=(guardrails.alert_rate.least, guardrails.alert_rate.most),
            block_rate=(guardrails.block_rate.least, guardrails.block_rate.most),
            errors=guardrails.errors,
            latency_us=guardrails.latency_us,
        ),
        candidate=other,
        share=0.0 if candidate is None else candidate.draw.share_percent,
        content_sha256=hashlib.sha256(msgspec.json.encode(content(root), order="deterministic")).hexdigest(),
    )


def _side(ruleset: Ruleset, text: str, node: yaml.MappingNode, lists: tuple[ListOutline, ...]) -> SideOutline:
    nodes = items(field(node, "rules"))
    rules = tuple(
        RuleOutline(
            id=rule.id,
            when=rule.when,
            points=rule.points,
            reason=rule.reason,
            mode=rule.mode,
            max_share=rule.max_share,
            description=rule.description,
            first_line=place.start_mark.line + 1,
            text=rule_text(text, place),
        )
        for rule, place in zip(ruleset.rules, nodes, strict=True)
    )
    return SideOutline(
        version=ruleset.version,
        review=ruleset.thresholds.review,
        block=ruleset.thresholds.block,
        rules=rules,
        lists=lists,
        model_sha256=ruleset.model_sha256,
        points=() if ruleset.model is None else ruleset.model.steps,
        settings=tuple(_settings(node)),
    )


def _settings(node: yaml.MappingNode) -> Iterator[tuple[str, str]]:
    for name, value in content(node).items():
        if name == _DRAW_KEY:
            # Whoever knows the key can choose on which side a payment is decided. Its hash says whether it is another one.
            yield name, f"key {hashlib.sha256(value.encode()).hexdigest()[:8]}"
        elif name not in _SHOWN_APART:
            yield from _flat(name, value)


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if not value:
        yield path, "empty"
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _flat(f"{path}.{name}", each)
    elif isinstance(value, list):
        yield path, ", ".join(" to ".join(each) if isinstance(each, list) else str(each) for each in value)
    else:
        yield path, str(value)


def _lists(node: yaml.MappingNode) -> tuple[ListOutline, ...]:
    lists = field(node, "lists")
    found: list[ListOutline] = []
    for key, value in lists.value if isinstance(lists, yaml.MappingNode) else ():
        one = mapping(value, "a list")
        entries = tuple(
            Entry(_text(each, "value"), _text(each, "until"), _text(each, "note"))
            for each in items(field(one, "entries"))
        )
        found.append(ListOutline(key.value, _text(one, "field"), entries, _text(one, "description")))
    return tuple(found)


def _text(node: Any, name: str) -> str:
    return text_of(field(node, name)) or ""
