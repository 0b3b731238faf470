"""The check of a ruleset document: `make rules-check`, AppConfig's validator and the score stage all call this one."""

from __future__ import annotations

from engine.rules.document import decode_document
from engine.rules.ruleset import Ruleset, parse_ruleset


def check_ruleset(data: bytes, source: str) -> Ruleset:
    """Read a stored document.

    Parameters
    ----------
    data : bytes
        The document as stored: YAML or JSON, in UTF-8.
    source : str
        What it is called in messages.

    Returns
    -------
    Ruleset
        What it says.

    Raises
    ------
    InvalidRulesetError
        With everything that is wrong with it; its text is made to be shown.
    """
    return parse_ruleset(decode_document(data, source), source)


def summary(ruleset: Ruleset, source: str) -> str:
    """Say in a line what a ruleset holds.

    Parameters
    ----------
    ruleset : Ruleset
        A checked one.
    source : str
        What the document is called.

    Returns
    -------
    str
        For people.
    """
    shadow = sum(rule.mode == "shadow" for rule in ruleset.rules)
    return (
        f"{source}: version {ruleset.version} ({ruleset.digest}), {len(ruleset.rules)} rules "
        f"({len(ruleset.rules) - shadow} live, {shadow} shadow), {len(ruleset.lists)} lists, "
        f"{len(ruleset.exchange.currencies)} currencies to {ruleset.base_currency}, "
        f"review from {ruleset.thresholds.review}, block from {ruleset.thresholds.block}"
    )
