"""The default rules on whole payments, as senders write them: what honest people do under any word for the channel."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contract.scored import Decision, Position
from contract.transaction import Transaction, decode_transaction
from engine.decide import decide
from engine.profile import Profile
from engine.rules.ruleset import parse_ruleset
from tests.support.kafka_events import TOPIC
from tests.support.payments import APPROVED, NOW, trusted_facts
from tests.unit.contract.records import record

if TYPE_CHECKING:
    from engine.decided import Decided

RULESET = parse_ruleset(Path("rules/default.yaml").read_text(), "rules/default.yaml")

BERN = {"latitude": 46.95, "longitude": 7.45, "country": "CH", "city": "Bern"}
SEATTLE = {"latitude": 47.61, "longitude": -122.33, "country": "US", "city": "Seattle"}
BERLIN = {"latitude": 52.52, "longitude": 13.405, "country": "DE", "city": "Berlin"}


def _payment(minutes_ago: float, **changes: Any) -> Transaction:
    usual = {
        "transaction_id": f"t-{minutes_ago}",
        "amount": "40.00",
        "currency": "USD",
        "timestamp": (NOW - timedelta(minutes=minutes_ago)).isoformat(),
        "location": BERN,
        "merchant_id": "grocer",
        "merchant_category": "grocery",
        "channel": "pos",
        "device_id": "phone",
        "card_id": "tok_1",
    }
    return decode_transaction(record(**usual | changes))


USUAL = [
    _payment(
        day * 24 * 60 + 45,
        amount=f"{35 + day % 11}.00",
        merchant_id=f"shop-{day % 5}",
        channel="online" if day % 3 else "pos",
    )
    for day in range(60, 0, -1)
]
"""Sixty days of a person in Bern: one payment a day of about 40 USD, from one phone."""


def _decided(*payments: Transaction) -> list[Decided]:
    profile = Profile()
    for offset, each in enumerate(USUAL):
        profile.fold(trusted_facts(each), APPROVED, Position(TOPIC, 0, offset))
    outcomes = []
    for offset, each in enumerate(payments, len(USUAL)):
        facts = trusted_facts(each)
        decided = decide(facts, profile, RULESET)
        outcomes.append(decided)
        profile.fold(facts, decided.outcome, Position(TOPIC, 0, offset))
    return outcomes


@pytest.mark.parametrize(
    "word",
    ["Online", "ONLINE", "e-commerce", "Card Not Present", "mobile", "iOS", "", None, "carrier pigeon"],
)
@pytest.mark.parametrize("minutes_at_home", [20, 90])
def test_a_shop_abroad_is_no_journey_unless_the_user_is_said_to_be_there(
    word: str | None, minutes_at_home: int
) -> None:
    at_home = _payment(minutes_at_home, merchant_id="shop-1")
    abroad = _payment(
        0, location=SEATTLE, merchant_id="us-shop", channel=word, device_id=None, amount="60.00"
    )

    _, outcome = _decided(at_home, abroad)

    assert outcome.assessment.decision is Decision.APPROVE, outcome.assessment.reasons


@pytest.mark.parametrize("word", ["pos", "Chip Transaction", "contactless", "atm"])
def test_a_card_in_person_where_its_owner_cannot_be_is_flagged(word: str) -> None:
    at_home = _payment(20, merchant_id="shop-1")
    abroad = _payment(
        0, location=SEATTLE, merchant_id="us-shop", channel=word, device_id=None, amount="60.00"
    )

    _, outcome = _decided(at_home, abroad)

    assert outcome.assessment.decision is Decision.BLOCK


@pytest.mark.parametrize(
    "taps",
    [
        {"merchant_id": "city transit", "merchant_category": "transport", "channel": "contactless"},
        {"merchant_id": "city transit", "merchant_category": 4111, "channel": None},
        {"merchant_id": "city transit", "merchant_category": None, "channel": "pos"},
        {"merchant_id": "vending machine", "merchant_category": "vending", "channel": "contactless"},
    ],
)
def test_three_fares_in_ten_minutes_are_approved(taps: dict[str, object]) -> None:
    outcomes = _decided(*(_payment(ago, amount="1.50", **taps) for ago in (9, 5, 0)))

    assert [each.assessment.decision for each in outcomes] == [Decision.APPROVE] * 3


@pytest.mark.parametrize(
    "tests",
    [
        [
            {"merchant_id": f"web-{number}", "merchant_category": "digital", "channel": "online"}
            for number in range(3)
        ],
        [
            {"merchant_id": f"kiosk-{number}", "merchant_category": "coffee", "channel": "pos"}
            for number in range(3)
        ],
        [{"merchant_id": "web", "merchant_category": "digital", "channel": "Card Not Present"}] * 3,
        [{"merchant_id": "tickets", "merchant_category": "transport", "channel": "online"}] * 3,
        [{"merchant_id": "web", "merchant_category": "digital", "channel": None}] * 3,
    ],
)
def test_three_micro_payments_elsewhere_are_reviewed(tests: list[dict[str, object]]) -> None:
    payments = (
        _payment(ago, amount="1.50", **changes) for ago, changes in zip((9, 5, 0), tests, strict=True)
    )

    outcomes = _decided(*payments)

    assert outcomes[-1].assessment.decision is not Decision.APPROVE


@pytest.mark.parametrize(
    "nowhere",
    [
        {"latitude": 0, "longitude": 0, "country": "DE", "city": "Berlin"},
        {"latitude": 0.0, "longitude": -0.0, "country": "DE", "city": "Berlin"},
        {"latitude": "0", "longitude": "0", "country": "DE", "city": "Berlin"},
    ],
)
def test_an_unknown_place_is_no_journey(nowhere: dict[str, object]) -> None:
    payments = [_payment(ago, location=place) for ago, place in ((40, BERLIN), (20, nowhere), (0, BERLIN))]

    outcomes = _decided(*payments)

    assert [each.features["implied_speed_kmh"] for each in outcomes[1:]] == [0.0, 0.0]


def test_swapped_coordinates_are_no_journey() -> None:
    tokyo = {"country": "JP", "city": "Tokyo"}
    payments = [
        _payment(30, location=tokyo | {"latitude": 35.69, "longitude": 139.69}),
        _payment(0, location=tokyo | {"latitude": 139.69, "longitude": 35.69}),
    ]

    assert _decided(*payments)[1].features["distance_from_last_km"] == 0.0


@pytest.mark.parametrize(("home", "later"), [("GB", "UK"), ("GB", "GBR"), ("GB", "United Kingdom")])
def test_another_name_of_the_same_country_is_no_new_country(home: str, later: str) -> None:
    payments = [
        _payment(ago, location={"country": code, "city": "London"}) for ago, code in ((30, home), (0, later))
    ]

    outcome = _decided(*payments)[1]

    assert not outcome.features["is_new_country"]
    assert not outcome.features["is_country_change"]


@pytest.mark.parametrize(
    ("changes", "count"),
    [({}, 0), ({"device_id": "x" * 129}, 1), ({"device_id": [], "ip_address": "phone", "location": 7}, 3)],
)
def test_fields_that_cannot_be_used_are_counted_and_a_weak_sign(
    changes: dict[str, object], count: int
) -> None:
    (outcome,) = _decided(_payment(0, **changes))

    assert outcome.features["invalid_field_count"] == count
    assert [reason.rule_id for reason in outcome.assessment.reasons] == (["invalid_fields"] if count else [])
    assert outcome.assessment.decision is Decision.APPROVE


def test_rules_see_the_channel_and_the_senders_word_and_whether_the_currency_is_assumed() -> None:
    (outcome,) = _decided(_payment(0, channel="Chip Transaction", currency=None))

    assert outcome.features["channel"] == "in_person"
    assert outcome.features["channel_as_sent"] == "Chip Transaction"
    assert outcome.features["is_currency_assumed"] is True
