"""The ruleset that is deployed first: what it must flag without any tuning, and what it must approve."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml
from hypothesis import given

from contract.scored import Decision, FeatureValue
from engine.decide import is_fraudulent
from engine.errors import InvalidRulesetError
from engine.features.catalogue import CATALOGUE, FEATURE_NAMES
from engine.rules.lists import LIST_FIELDS
from engine.rules.ruleset import parse_ruleset
from tests.support.default_rules import DEFAULT, RULESET, whole_features
from tests.support.rule_samples import any_features, features, likely_features, payment

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.decided import Assessment

RULES = Path("rules")
SCHEMA = json.loads((RULES / "ruleset.schema.json").read_text())


def _decide(**values: FeatureValue) -> Assessment:
    return is_fraudulent(features(**whole_features(values)), payment(), RULESET)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"amount_base": 900.0, "amount_ratio_to_mean_30d": 20.0, "amount_zscore_30d": 8.0, "is_new_merchant": True},
        {"amount_base": 2500.0, "amount_ratio_to_mean_30d": 55.0, "amount_zscore_30d": 9.0, "amount_max_recent_base": 700.0},
        {"is_new_country": True, "is_country_change": True, "is_location_change": True, "is_new_merchant": True,
         "is_new_currency": True, "distance_from_last_km": 6000.0, "implied_speed_kmh": 780.0, "minutes_since_last_tx": 460.0},
        {"tx_count_24h": 9, "tx_count_1h": 4, "merchant_count_1h": 4, "tx_rate_ratio_24h": 4.0, "is_new_merchant": True,
         "amount_base": 90.0, "minutes_since_last_tx": 12.0},
        {"is_new_device": True},
        {"is_new_device": True, "is_new_payee": True},
        {"is_new_payee": True, "amount_base": 1500.0, "amount_ratio_to_mean_30d": 30.0, "amount_zscore_30d": 7.0,
         "is_round_amount": True, "channel": "transfer", "amount_max_recent_base": 1400.0},
        {"is_micro_amount": True, "micro_amount_count_1h": 2, "tx_count_1h": 2, "amount_base": 1.5},
        {"channel": "online", "is_location_change": True, "is_country_change": True, "implied_speed_kmh": 9000.0,
         "distance_from_last_km": 6000.0, "minutes_since_last_tx": 40.0},
        {"profile_tx_count": 0, "amount_base": 400.0, "amount_ratio_to_mean_30d": 1.0},
        {"days_since_last_tx": 45.0, "amount_base": 60.0},
        {"is_just_below_threshold": True, "amount_base": 980.0, "amount_sum_24h_base": 980.0},
        {"is_micro_amount": True, "merchant_users_1h": 12, "merchant_micro_payments_1h": 14, "merchant_payments_1h": 14,
         "merchant_usual_micro_payments_1h": 0.5, "device_users_1h": 12, "device_payments_1h": 14},
        {"channel": "online", "ip_users_1h": 32, "ip_payments_1h": 900, "ip_micro_payments_1h": 8, "is_micro_amount": True,
         "ip_usual_micro_payments_1h": 6.0, "ip_known_days": 400.0},
        {"channel": "transfer", "is_new_payee": True, "amount_base": 85.0, "payee_users_24h": 32, "payee_first_payments_24h": 70,
         "payee_amount_24h_base": 6_000.0, "payee_known_days": 0.4, "amount_ratio_to_p90_recent": 0.9},
        {"channel": "app", "is_new_device": True, "device_users_30d": 4, "device_known_days": 700.0, "ip_users_24h": 4,
         "ip_known_days": 300.0},
        {"implied_speed_kmh": 1200.0, "is_new_merchant": True, "distance_from_last_km": 9000.0, "minutes_since_last_tx": 450.0},
        {"implied_speed_kmh": 1200.0, "channel": "transfer", "distance_from_last_km": 9000.0, "minutes_since_last_tx": 450.0},
        {"amount_base": 700.0, "amount_ratio_to_mean_30d": 15.0, "block_count_30d": 3, "is_new_device": True, "channel": "transfer"},
        {"amount_base": 30.0, "amount_ratio_to_mean_30d": 0.6, "block_count_24h": 3, "is_new_merchant": True},
        {"tx_count_10m": 3, "tx_count_1h": 3, "merchant_count_1h": 3, "tx_rate_ratio_24h": 5.0, "is_new_merchant": True,
         "channel": "online", "merchant_category": "subscription", "amount_base": 9.99},
        {"channel": "transfer", "device_users_1h": 20, "device_payments_1h": 45, "device_usual_payments_1h": 0.3, "device_known_days": 40.0},
    ],
    ids=["everyday", "a laptop", "furniture", "a flight abroad", "salary-day shopping", "a new phone", "a new phone, a new friend",
         "a new landlord", "two coffees", "a VPN", "a first payment", "back from a long pause", "a used car's deposit",
         "a vending machine", "an airport", "a new utility on its due date", "a family's tablet",
         "home after a payment online on the way", "a transfer after it", "the rent from a new phone after a theft",
         "groceries after a theft", "subscriptions at night", "a payroll bureau"],
)  # fmt: skip
def test_what_honest_people_do_is_approved(values: dict[str, FeatureValue]) -> None:
    verdict = _decide(**values)

    assert verdict.decision is Decision.APPROVE, verdict.reasons


@pytest.mark.parametrize(
    ("values", "rule_id"),
    [
        ({"amount_base": 10_000.01}, "amount_over_10000"),
        ({"implied_speed_kmh": 1200.0, "is_new_country": True}, "impossible_travel_unknown_place"),
        ({"implied_speed_kmh": 3100.0, "is_new_merchant": True}, "impossible_travel_unknown_place"),
        ({"implied_speed_kmh": 1200.0, "channel": "transfer", "is_new_device": True}, "impossible_travel_unknown_place"),
        ({"implied_speed_kmh": 1200.0, "channel": "transfer", "missing_device_share": 0.95}, "impossible_travel_unknown_place"),
        ({"is_micro_amount": True, "micro_amount_count_1h": 3, "tx_count_10m": 3, "channel": "online"}, "card_testing_run"),
        ({"is_micro_amount": True, "micro_amount_count_1h": 3, "tx_count_10m": 3, "merchant_count_1h": 3}, "card_testing_run"),
        ({"is_micro_amount": True, "micro_amount_count_1h": 3, "tx_count_10m": 3, "channel": "unknown"}, "card_testing_run"),
        ({"is_micro_amount": True, "micro_amount_count_1h": 3, "tx_count_10m": 3, "channel": "app", "merchant_category": "transport"},
         "card_testing_run"),
        ({"amount_base": 400.0, "micro_amount_count_1h": 6}, "card_testing_then_large"),
        ({"is_new_device": True, "is_new_payee": True, "amount_base": 500.0, "amount_ratio_to_mean_30d": 11.0},
         "account_takeover"),
        ({"payee_age_days": 0.02, "amount_base": 400.0, "amount_sum_24h_base": 1200.0}, "new_payee_drain"),
        ({"days_since_last_tx": 70.0, "amount_base": 400.0, "is_new_device": True}, "dormant_account_unusual"),
        ({"is_just_below_threshold": True, "amount_base": 9_800.0, "amount_sum_24h_base": 19_500.0}, "structuring"),
        ({"tx_count_1m": 4, "tx_count_10m": 4}, "velocity_1m"),
        ({"tx_count_10m": 8}, "velocity_10m_extreme"),
        ({"is_new_country": True, "tx_count_1h": 2, "merchant_count_1h": 2, "is_country_change": True,
          "minutes_since_last_tx": 30.0, "implied_speed_kmh": 950.0}, "new_country_at_once"),
        ({"channel": "online", "device_users_1h": 4, "device_payments_1h": 4, "device_usual_payments_1h": 0.1, "is_new_device": True},
         "numbers_from_device"),
        ({"channel": "online", "device_users_1h": 4, "device_payments_1h": 4, "device_usual_payments_1h": 0.1, "is_new_device": True,
          "device_known_days": 300.0, "is_micro_amount": True}, "numbers_from_device"),
        ({"channel": "app", "device_users_30d": 3, "device_known_days": 5.0, "is_new_device": True}, "device_farm"),
        ({"channel": "app", "device_users_30d": 2, "device_known_days": 1.0, "is_new_device": True, "ip_users_24h": 2,
          "ip_known_days": 1.0}, "device_farm_begins"),
        ({"channel": "online", "is_micro_amount": True, "ip_users_1h": 4, "ip_micro_payments_1h": 4, "device_tx_count": 0}, "numbers_from_address"),
        ({"channel": "online", "is_micro_amount": True, "network_users_1h": 6, "network_micro_payments_1h": 6, "device_tx_count": 0}, "numbers_from_network"),
        ({"channel": "unknown", "is_micro_amount": True, "merchant_users_1h": 4, "merchant_micro_payments_1h": 4,
          "merchant_payments_1h": 5, "merchant_usual_micro_payments_1h": 0.3, "device_tx_count": 0}, "numbers_at_merchant"),
        ({"is_new_payee": True, "amount_base": 300.0, "amount_ratio_to_p90_recent": 3.0, "payee_users_24h": 4,
          "payee_first_payments_24h": 4, "payee_amount_24h_base": 1_200.0, "payee_known_days": 1.0}, "mule_payee"),
        ({"channel": "online", "is_micro_amount": True, "ip_users_24h": 5, "ip_known_days": 0.2, "device_tx_count": 0}, "numbers_tried_slowly"),
        ({"channel": "transfer", "ip_users_24h": 4, "ip_known_days": 0.2, "is_new_device": True}, "takeovers_from_address"),
        ({"channel": "transfer", "ip_users_24h": 4, "ip_known_days": 0.2, "device_tx_count": 0, "is_new_payee": True}, "takeovers_from_address"),
        ({"channel": "transfer", "network_users_1h": 5, "network_payments_1h": 5, "network_usual_payments_1h": 0.2,
          "missing_device_share": 0.9}, "takeovers_from_network"),
        ({"is_new_payee": True, "is_new_device": True, "amount_base": 60.0, "payee_users_24h": 4, "payee_first_payments_24h": 4, "payee_known_days": 1.0,
          "payee_usual_payments_24h": 1.2}, "mule_payee_of_takeovers"),
        ({"account_age_days": 1.0, "merchant_young_payments_24h": 5, "merchant_usual_young_payments_24h": 0.8},
         "young_accounts_at_merchant"),
        ({"amount_base": 260.0, "merchant_known_days": 80.0, "merchant_payments_24h": 4, "merchant_mean_24h_base": 240.0,
          "merchant_usual_mean_base": 25.0}, "merchant_amounts_changed"),
        ({"amount_base": 300.0, "amount_ratio_to_mean_30d": 6.0, "payee_age_days": 5.0, "payee_tx_count": 3, "channel": "transfer"},
         "payee_of_days_drained"),
        ({"amount_base": 400.0, "amount_ratio_to_mean_30d": 8.0, "device_age_days": 5.0, "high_amount_count_7d": 4,
          "channel": "online"}, "device_of_days_spree"),
        ({"amount_base": 150.0, "amount_ratio_to_mean_30d": 3.0, "is_new_device": True, "block_count_30d": 1, "channel": "online"},
         "stopped_then_other_device"),
        ({"amount_base": 150.0, "amount_ratio_to_mean_30d": 3.0, "device_age_days": 9.0, "review_count_30d": 2, "channel": "online"},
         "stopped_then_other_device"),
        ({"amount_base": 250.0, "amount_ratio_to_mean_30d": 5.0, "is_new_merchant": True, "block_count_24h": 1, "channel": "online"},
         "blocked_then_online"),
        ({"amount_base": 250.0, "amount_ratio_to_mean_30d": 5.0, "block_count_24h": 1, "review_count_24h": 1}, "stopped_twice"),
    ],
)  # fmt: skip
def test_what_fraud_looks_like_is_flagged(values: dict[str, FeatureValue], rule_id: str) -> None:
    verdict = _decide(**values)

    assert verdict.decision is not Decision.APPROVE
    assert rule_id in [reason.rule_id for reason in verdict.reasons]


def test_an_amount_that_cannot_be_judged_goes_to_review() -> None:
    verdict = is_fraudulent(features(**whole_features({"currency": "XAF"})), payment(currency="XAF"), RULESET)

    assert verdict.decision is Decision.REVIEW
    assert "XAF" in verdict.reasons[0].sentence


def test_deny_outweighs_allow() -> None:
    denied_and_allowed = payment(user_id="synthetic-monitor", ip_address="203.0.113.9")

    verdict = is_fraudulent(features(**whole_features({})), denied_and_allowed, RULESET)

    assert verdict.decision is Decision.BLOCK
    assert [reason.rule_id for reason in verdict.reasons] == ["denied_ip", "allowed_user"]


def test_no_sum_of_allows_reaches_what_one_deny_gives() -> None:
    allows = sum(rule.points for rule in RULESET.rules if rule.points < 0)

    for rule in RULESET.rules:
        if rule.id.startswith("denied_"):
            assert rule.points + allows >= RULESET.thresholds.block


def test_every_list_is_used_by_a_rule() -> None:
    conditions = " ".join(rule.when for rule in RULESET.rules)

    assert [each.name for each in RULESET.lists if f"on_{each.name}" not in conditions] == []


def test_one_weak_sign_never_reaches_review() -> None:
    # On purpose only deny lists, and rules for one strong combination of signs, give 50 points or more.
    strong = {
        rule.id for rule in RULESET.rules if rule.mode == "live" and rule.points >= RULESET.thresholds.review
    }

    assert {name for name in strong if not name.startswith("denied_")} == {
        "amount_over_10000", "unknown_exchange_rate", "card_testing_run", "card_testing_then_large", "account_takeover",
        "strangers_far_above_norm", "young_account_large_amount",
        "new_payee_drain", "dormant_account_spree", "stolen_card_spree", "windows_incomplete",
        "numbers_from_device", "numbers_from_address", "numbers_from_network", "numbers_at_merchant", "mule_payee",
        "numbers_tried_slowly", "numbers_tried_slowly_at_merchant", "takeovers_from_address", "takeovers_from_network", "mule_payee_of_takeovers",
            "mule_payee_of_young_accounts", "young_accounts_from_address",
        "device_farm", "device_farm_begins", "young_accounts_at_merchant", "merchant_amounts_changed", "payee_with_fraud",
        "payee_of_days_drained", "device_of_days_spree", "stopped_then_other_device", "blocked_then_online", "stopped_twice",
    }  # fmt: skip


def test_there_are_live_and_shadow_rules_enough() -> None:
    assert len([rule for rule in RULESET.rules if rule.mode == "live"]) >= 24
    assert [rule for rule in RULESET.rules if rule.mode == "shadow"]


@given(any_features)
def test_the_default_rules_never_raise_whatever_the_features(values: dict[str, FeatureValue]) -> None:
    verdict = is_fraudulent(values, payment(), RULESET)

    assert 0 <= verdict.risk_score <= 100


@pytest.mark.parametrize("rule", yaml.safe_load(DEFAULT)["rules"], ids=lambda rule: rule["id"])
def test_a_count_that_may_be_one_comes_after_its_words(rule: dict[str, Any]) -> None:
    """Or without any, as in "{tx_count_1h} payments" of a rule that asks for two or more in every case."""
    reason = rule["reason"]
    counts = {each.name for each in CATALOGUE if each.type == "int" and each.name != "hour_of_day"}

    unsure = [
        name
        for name in re.findall(r"\{(\w+)\}", reason)
        if name in counts
        and f": {{{name}}}" not in reason
        and not re.search(rf"(?<!\|\| ){name} >= ([2-9]|\d\d)(?! \|\|)", rule["when"])
    ]

    assert unsure == []


@given(likely_features)
def test_the_default_rules_never_fail_on_values_that_payments_have(values: dict[str, FeatureValue]) -> None:
    assert is_fraudulent(values, payment(), RULESET).failed_rule_ids == ()


class _Loader(yaml.SafeLoader):
    """Reads a date as text, as editors and JSON do."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _schema_takes(document: object) -> bool:
    return jsonschema.Draft4Validator(SCHEMA).is_valid(document)


def _parser_takes(document: object) -> bool:
    try:
        parse_ruleset(json.dumps(document))
    except InvalidRulesetError:
        return False
    return True


def test_the_schema_is_one_that_appconfig_reads_and_takes_the_default_rules() -> None:
    jsonschema.Draft4Validator.check_schema(SCHEMA)

    jsonschema.validate(yaml.load(DEFAULT, Loader=_Loader), SCHEMA, cls=jsonschema.Draft4Validator)


def _small() -> dict[str, Any]:
    return {
        "version": "1",
        "base_currency": "USD",
        "exchange_rates": {"EUR": 1.1},
        "thresholds": {"review": 50, "block": 80},
        "lists": {
            "denied": {"field": "user_id", "entries": [{"value": "u", "until": "2026-01-31", "note": "n"}]}
        },
        "rules": [
            {"id": "r", "when": "is_weekend", "points": 5, "reason": "r", "mode": "live", "description": "d"}
        ],
        "guardrails": {"alert_rate": [0.5, 2], "block_rate": [0, 3.5], "errors": 0.2, "latency_us": 100},
        "candidate": {"version": "2", "share": 0.5, "thresholds": {"review": 40, "block": 80}, "rules": []},
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("version"),
        lambda document: document.pop("rules"),
        lambda document: document.pop("thresholds"),
        lambda document: document.pop("base_currency"),
        lambda document: document.update(version=1),
        lambda document: document.update(version=""),
        lambda document: document.update(version="v" * 65),
        lambda document: document.update(extra=1),
        lambda document: document.update(base_currency="usd"),
        lambda document: document.update(exchange_rates={"Euro": 1}),
        lambda document: document.update(exchange_rates={"EUR": 0}),
        lambda document: document.update(exchange_rates={"EUR": "1"}),
        lambda document: document.update(exchange_rates={"EUR": 2_000_000}),
        lambda document: document["thresholds"].pop("block"),
        lambda document: document["thresholds"].update(review=0),
        lambda document: document["thresholds"].update(block=101),
        lambda document: document["thresholds"].update(block=80.5),
        lambda document: document["lists"].update({"Bad-Name": {"field": "user_id", "entries": []}}),
        lambda document: document["lists"].update({f"l{n}": {"field": "user_id", "entries": []} for n in range(41)}),
        lambda document: document["lists"]["denied"].update(field="merchant"),
        lambda document: document["lists"]["denied"].pop("entries"),
        lambda document: document["lists"]["denied"]["entries"][0].update(until="tomorrow"),
        lambda document: document["lists"]["denied"]["entries"][0].update(until="2026-01-31T10:00:00"),
        lambda document: document["lists"]["denied"]["entries"][0].update(value=5),
        lambda document: document["lists"]["denied"]["entries"][0].update(value="v" * 129),
        lambda document: document["lists"]["denied"]["entries"][0].update(more=1),
        lambda document: document["rules"][0].pop("when"),
        lambda document: document["rules"][0].pop("id"),
        lambda document: document["rules"][0].update(id="Not-Snake"),
        lambda document: document["rules"][0].update(points=0),
        lambda document: document["rules"][0].update(points=1001),
        lambda document: document["rules"][0].update(points=1.5),
        lambda document: document["rules"][0].update(mode="on"),
        lambda document: document["rules"][0].update(max_share=0),
        lambda document: document["rules"][0].update(max_share=100.5),
        lambda document: document["guardrails"].update(alert_rate=[0.5]),
        lambda document: document["guardrails"].update(block_rate=[1.5, 2]),
        lambda document: document["guardrails"].update(block_rate=[0.5, 0.9]),
        lambda document: document["guardrails"].update(errors=0),
        lambda document: document["guardrails"].update(latency_us=0.5),
        lambda document: document["guardrails"].update(more=1),
        lambda document: document["candidate"].pop("version"),
        lambda document: document["candidate"].pop("share"),
        lambda document: document["candidate"].update(share=51),
        lambda document: document["candidate"].update(share="10"),
        lambda document: document["candidate"].update(base_currency="USD"),
        lambda document: document["candidate"].update(candidate={}),
        lambda document: document["candidate"]["thresholds"].pop("review"),
        lambda document: document["candidate"].update(rules=[{"id": "r"}]),
        lambda document: document["rules"][0].update(reason=""),
        lambda document: document["rules"][0].update(reason="r" * 301),
        lambda document: document["rules"][0].update(when=True),
        lambda document: document["rules"][0].update(when="is_weekend" + " " * 2_000),
        lambda document: document["rules"][0].update(weight=1),
        lambda document: document.update(rules=[{**document["rules"][0], "id": f"r{n}"} for n in range(251)]),
    ],
)  # fmt: skip
def test_the_schema_and_the_parser_refuse_the_same_shapes(change: Callable[[dict[str, Any]], object]) -> None:
    document = _small()
    assert _schema_takes(document)
    assert _parser_takes(document)

    change(document)

    assert not _schema_takes(document)
    assert not _parser_takes(document)


def test_the_schema_names_the_fields_that_lists_may_hold() -> None:
    assert SCHEMA["definitions"]["list"]["properties"]["field"]["enum"] == list(LIST_FIELDS)


def test_the_rules_of_the_analysts_page_can_be_used() -> None:
    page = (RULES / "README.md").read_text()
    blocks = [part.split("```")[0] for part in page.split("```yaml\n")[1:]]
    rule, lists = blocks[0], blocks[1]

    read = parse_ruleset(
        f'version: "1"\nbase_currency: USD\nthresholds: {{review: 50, block: 80}}\n{lists}rules:\n{rule}'
    )

    assert [each.id for each in read.rules] == ["new_device_high_amount"]
    assert [each.name for each in read.lists] == ["denied_devices"]


def test_the_page_of_features_is_up_to_date() -> None:
    from lab.feature_page import feature_page

    page = Path("docs/features.md").read_text()

    assert page == feature_page()
    assert all(f"| `{name}` |" in page for name in FEATURE_NAMES)
