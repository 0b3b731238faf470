"""The one check of a ruleset document: `make rules-check`, AppConfig's validator and the score stage all call it."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from contract.channels import Channel
from engine.rules.document import decode_document
from engine.rules.model_section import no_models
from engine.rules.ruleset import Ruleset, parse_ruleset

if TYPE_CHECKING:
    from engine.rules.model_section import Models

_COMPARED_CHANNELS: Final = re.compile(
    r"(?<![\w.])channel\s*(?:[=!]=\s*(?P<one>\"[^\"]*\"|'[^']*')|in\s*\[(?P<several>[^\]]*)\])"
)
_LITERAL: Final = re.compile(r"\"([^\"]*)\"|'([^']*)'")


def check_ruleset(data: bytes, source: str, models: Models = no_models) -> Ruleset:
    """Read and check a stored document.

    Parameters
    ----------
    data : bytes
        The document as stored: YAML or JSON, in UTF-8.
    source : str
        The document's name in messages.
    models : Models
        Where the document of the model that the ruleset names comes from. What it raises, passes.

    Returns
    -------
    Ruleset
        The checked ruleset.

    Raises
    ------
    InvalidRulesetError
        With every problem; its text is meant for people.
    """
    return parse_ruleset(decode_document(data, source), source, models)


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
    modes = Counter(rule.mode for rule in ruleset.rules)
    suspended = f", {modes['suspended']} suspended" if modes["suspended"] else ""
    return (
        f"{source}: version {ruleset.version} ({ruleset.digest}), {len(ruleset.rules)} rules "
        f"({modes['live']} live, {modes['shadow']} shadow{suspended}), {len(ruleset.lists)} lists, "
        f"{_model(ruleset)}{len(ruleset.exchange.currencies)} currencies to {ruleset.base_currency}, "
        f"review from {ruleset.thresholds.review}, block from {ruleset.thresholds.block}{_candidate(ruleset)}"
    )


def warnings(ruleset: Ruleset, source: str) -> list[str]:
    """Name what is valid and a mistake all the same: words that the channel of a payment never is, and a candidate whose users senders can choose.

    They are no errors: a ruleset that was written when ``channel`` was the sender's own word, or a candidate had no key, stays active.

    Parameters
    ----------
    ruleset : Ruleset
        A checked ruleset.
    source : str
        The document's name.

    Returns
    -------
    list[str]
        One line each, for people.
    """
    found = []
    if ruleset.candidate is not None and ruleset.candidate.draw.can_be_chosen:
        found.append(
            f"{source}: the candidate has no draw_key, so senders who know its version can choose its side; "
            "`make rules-deploy SHARE=` and the console write one"
        )
    for rule in (rule for each in ruleset.sides for rule in each.rules):
        for match in _COMPARED_CHANNELS.finditer(rule.when):
            for double, single in _LITERAL.findall(match["one"] or match["several"]):
                word = double or single
                if word not in set(Channel):
                    found.append(
                        f"{source}: rule '{rule.id}': channel is never '{word[:60]}'; "
                        f"it is one of {', '.join(Channel)}, and the sender's own word is channel_as_sent"
                    )
    return found


def _model(ruleset: Ruleset) -> str:
    used = ruleset.model
    if used is None:
        return ""
    points = f"{len(used.steps)} steps of points" if used.steps else "no points"
    return f"model {used.model.sha256[:12]} ({points}), "


def _candidate(ruleset: Ruleset) -> str:
    candidate = ruleset.candidate
    if candidate is None:
        return ""
    other = candidate.ruleset
    return (
        f"; candidate {other.version} for {candidate.draw.share_percent:g}% of the users, {len(other.rules)} rules, "
        f"{_model(other)}review from {other.thresholds.review}, block from {other.thresholds.block}"
    )
