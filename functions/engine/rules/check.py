"""The one check of a ruleset document: `make rules-check`, AppConfig's validator and the score stage all call it."""

from __future__ import annotations

from engine.rules.document import decode_document
from engine.rules.ruleset import Ruleset, parse_ruleset


def check_ruleset(data: bytes, source: str) -> Ruleset:
    """Read and check a stored document.

    Parameters
    ----------
    data : bytes
        The document as stored: YAML or JSON, in UTF-8.
    source : str
        The document's name in messages.

    Returns
    -------
    Ruleset
        The checked ruleset.

    Raises
    ------
    InvalidRulesetError
        With every problem; its text is meant for people.
    """
    return parse_ruleset(decode_document(data, source), source)


def summary(ruleset: Ruleset, source: str) -> str:
    """Summarise a ruleset in one line.

    Parameters
    ----------
    ruleset : Ruleset
        A checked ruleset.
    source : str
        The document's name.

    Returns
    -------
    str
        One line for people.
    """
    shadow = sum(rule.mode == "shadow" for rule in ruleset.rules)
    return (
        f"{source}: version {ruleset.version} ({ruleset.digest}), {len(ruleset.rules)} rules "
        f"({len(ruleset.rules) - shadow} live, {shadow} shadow), {len(ruleset.lists)} lists, "
        f"{len(ruleset.exchange.currencies)} currencies to {ruleset.base_currency}, "
        f"review from {ruleset.thresholds.review}, block from {ruleset.thresholds.block}"
    )
