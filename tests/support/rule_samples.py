"""Small rulesets, payments and feature values for tests of rules, valid by default."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from engine.features.catalogue import CATALOGUE
from engine.features.definition import absent_values
from engine.rules.ruleset import Ruleset, parse_ruleset
from tests.support.payments import make_minimal_payment

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from contract.transaction import Transaction

HEAD = """\
version: "1"
base_currency: USD
exchange_rates: {EUR: 1.25}
thresholds: {review: 50, block: 80}
"""

RULE = {"id": "r", "when": "amount_base > 100.0", "points": 10, "reason": "Paid {amount_base:.2f}."}


def document(rules: str = "rules: []", head: str = HEAD) -> str:
    """A ruleset document that ends with ``rules``."""
    return f"{head}{rules}\n"


def ruleset(*rules: dict[str, Any], head: str = HEAD) -> Ruleset:
    """A ruleset of these rules; fields that are not given are valid. JSON is YAML."""
    return parse_ruleset(document(f"rules: {json.dumps([{**RULE, **rule} for rule in rules])}", head))


def payment(**changes: Any) -> Transaction:
    """A payment of 10 USD on 2025-06-01 at noon, with no field but the required ones and those given."""
    return make_minimal_payment(**{"timestamp": datetime(2025, 6, 1, 12, tzinfo=UTC)} | changes)


def features(**values: FeatureValue) -> dict[str, FeatureValue]:
    """Every feature; those that are not given are 0, false or empty. An unknown name is a mistake in the test."""
    quiet = absent_values(CATALOGUE)
    unknown = set(values) - set(quiet)
    if unknown:
        raise AssertionError(f"no such feature: {unknown}")
    return {**quiet, **values}


_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "double": st.floats(),
    "int": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "string": st.text(max_size=20) | st.sampled_from(["online", "in_person", "US"]),
}

any_features = st.fixed_dictionaries({feature.name: _VALUES[feature.type] for feature in CATALOGUE})
"""Any values of the right types, including NaN, infinities and lone surrogates."""

LIKELY_VALUES: dict[str, st.SearchStrategy[Any]] = {
    feature.name: {**_VALUES, "double": st.floats(0, 20_000), "int": st.integers(0, 100)}[feature.type]
    for feature in CATALOGUE
}
"""Feature to values that are usual for payments; many of the default rules hold for them."""

likely_features = st.fixed_dictionaries(LIKELY_VALUES)

TWO_RULES = """
version: test-1
base_currency: EUR
exchange_rates: {USD: 0.9}
thresholds: {review: 40, block: 80}
rules:
  - id: large_amount
    when: amount_base > 1000.0
    points: 50
    reason: "Paid {amount_base:.2f} {base_currency}."
  - id: burst
    when: tx_count_10m > 3
    points: 40
    reason: "{tx_count_10m} payments in 10 minutes."
"""
"""A ruleset for tests of the score stage: one rule on the amount, one on velocity."""


def candidate_of(*rules: dict[str, Any], share: float, version: str = "2", head: str = HEAD) -> Ruleset:
    """A ruleset without rules, with a candidate of these rules that reviews from 40 and blocks from 90."""
    candidate = {
        "version": version,
        "share": share,
        "thresholds": {"review": 40, "block": 90},
        "rules": [{**RULE, **rule} for rule in rules],
    }
    return parse_ruleset(document(head=f"{head}candidate: {json.dumps(candidate, ensure_ascii=False)}\n"))
