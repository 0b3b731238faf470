"""Rollouts on simulated payments: the default rules with a candidate made from them, counted minute by minute."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from contract.scored import Position
from contract.transaction import decode_transaction
from engine.decide import decide
from engine.profile import Profile
from engine.rollout.counts import RolloutCounts
from engine.rollout.guard import Action, evaluate, windows_of
from engine.rollout.settled import SettledCounts, SettledUsers
from engine.rules.ruleset import parse_ruleset
from lab.models import kept_model
from simulator import SimulationConfig, simulate
from tests.support.default_rules import DEFAULT
from tests.support.model_samples import sealed
from tests.support.payments import trusted_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.rollout.guard import Finding
    from engine.rules.ruleset import Ruleset

_ENDS_AT = datetime(2026, 11, 1, tzinfo=UTC)
_SPAN = timedelta(days=180)
_BEFORE = parse_ruleset(DEFAULT, "before", kept_model)
"""What decided before the rollout."""
_OF_CANDIDATE = ("thresholds", "rules")


def turned_model() -> bytes:
    """The default model with the sign of everything that it says turned."""
    content: dict[str, Any] = json.loads(Path("models/default.json").read_text())["model"]
    content["intercept"] *= -1
    content["calibration"]["offset"] *= -1
    for term in content["terms"]:
        term["log_odds"] = [-each for each in term["log_odds"]]
    for feature in content["features"]:
        feature["direction"] = 0
    for sample in content["sample"]:
        sample["fraud_probability"] = 1 - sample["fraud_probability"]
    return sealed(content)


def rollout(
    change: Callable[[dict[str, Any]], object], share: float = 10, models: dict[str, bytes] | None = None
) -> Ruleset:
    """The default rules, with a candidate that is the same but for a change."""
    content = yaml.safe_load(DEFAULT)
    candidate = {name: content[name] for name in _OF_CANDIDATE} | {"version": "candidate", "share": share}
    change(candidate)
    text = f"{DEFAULT}\ncandidate: {json.dumps(candidate)}\n"
    return parse_ruleset(text, "rollout", lambda sha256: (models or {}).get(sha256) or kept_model(sha256))


def settled_as(counts: RolloutCounts) -> RolloutCounts:
    """Counts in which users with a past are what the payments are: each payment is one of another user."""
    counts.settled = SettledCounts(
        counts.payments,
        counts.alerts,
        counts.blocks,
        counts.errors,
        counts.champion_hits,
        counts.candidate_hits,
    )
    return counts


def counted(ruleset: Ruleset, seed: int, payments: int, a_minute: int = 100) -> Iterator[RolloutCounts]:
    """What each minute counted; so many payments arrive a minute, and three times as many were made in four months before: most users have a past."""
    profiles: dict[str, Profile] = {}
    config = SimulationConfig(
        seed=seed, users=max(payments // 10, 1), transactions=4 * payments, ends_at=_ENDS_AT, span=_SPAN
    )
    minute, settled = RolloutCounts(), SettledUsers(ruleset)
    for offset, payment in enumerate(simulate(config)):
        transaction = decode_transaction(msgspec.json.encode(payment.record))
        facts, profile = trusted_facts(transaction), profiles.setdefault(transaction.user_id, Profile())
        past = 3 * payments
        decided = decide(facts, profile, ruleset if offset >= past else _BEFORE)
        profile.fold(facts, decided.outcome, Position("t", 0, offset))
        if offset < past:
            continue
        minute.add(transaction.user_id, decided)
        at = _ENDS_AT + timedelta(minutes=(offset - past) // a_minute)
        settled.add(minute.settled, transaction.user_id, decided, at)
        if offset % a_minute == a_minute - 1:
            yield minute
            minute = RolloutCounts()


def first_finding(ruleset: Ruleset, minutes: Iterator[RolloutCounts]) -> tuple[int, Finding]:
    """After how many minutes something is to be done, and what; the last minute's where nothing is."""
    so_far: list[RolloutCounts] = []
    for minute in minutes:
        so_far.append(minute)
        finding = evaluate(windows_of(so_far), ruleset)
        if finding.action is not Action.KEEP:
            break
    return len(so_far), finding
