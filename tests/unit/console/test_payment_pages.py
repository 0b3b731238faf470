"""A payment has its own page with all features; a card, device, address, merchant or payee has one with its labels and cases."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from console.entity_pages import MAX_CASES
from console.rights import Group
from console.verdicts import payment_id
from contract.case import CaseStatus, CaseVerdict
from contract.entity_ids import entity_names
from contract.flagged import CONFIRMED_FRAUD, OPEN, flag
from contract.items import to_item
from contract.replayed import ReplayAnswer, ReplayDifference, ReplayedDecision
from contract.side import Side
from engine.features.catalogue import CATALOGUE, FEATURE_SET
from engine.features.stored import pack
from tests.support.console_world import NOW, ConsoleWorld
from tests.support.feature_samples import features_of
from tests.support.labels import make_label
from tests.support.payments import RETENTION, make_scored, make_transaction

if TYPE_CHECKING:
    from contract.case import Case

PAYMENT = make_transaction()
ROW = make_scored(PAYMENT, features=pack(features_of(PAYMENT)), feature_set=FEATURE_SET)
CARD = entity_names(PAYMENT)[0]


@pytest.fixture
def case(world: ConsoleWorld) -> Case:
    """A case of one payment, of whose card another case is."""
    world.sign_in(Group.ANALYST)
    stored = world.put_case(entities=entity_names(PAYMENT)[:1])
    world.put_payments(ROW, case=stored)
    return stored


def made_again(**changes: Any) -> ReplayedDecision:
    """The decision of the row."""
    fields: dict[str, Any] = {
        "ruleset": "7+0123456789ab",
        "model": "a" * 64,
        "side": Side.CHAMPION,
        "decision": ROW.decision,
        "risk_score": ROW.risk_score,
        "reasons": ROW.reasons,
        "shadow_rule_ids": ROW.shadow_rule_ids,
        "failed_rule_ids": ROW.failed_rule_ids,
        "other": None,
        "fraud_probability": 0.0,
        "differences": (),
    }
    return ReplayedDecision(**fields | changes)


def page_of(case: Case) -> str:
    return f"/cases/{case.case_id}/payments/{payment_id(flag(ROW, NOW, RETENTION))}"


def test_a_payment_shows_its_row_and_every_feature_with_its_sentence(world: ConsoleWorld, case: Case) -> None:
    body = world.get(page_of(case)).body

    assert "Payment: 1,250.00 USD, 1 Mar 2026, 11:59" in body
    assert "Stopped (block), score 85; by ruleset 7." in body
    assert [
        name for name in re.findall(r'<th scope="row">(\w+)</th>', body) if "_" in name or name.islower()
    ] == [each.name for each in CATALOGUE]
    assert "Great-circle distance from the place where the user was last" in body


def test_a_payments_ids_are_masked_until_somebody_says_why(world: ConsoleWorld, case: Case) -> None:
    masked = world.get(page_of(case)).body
    refused = world.post(f"{page_of(case)}/reveal", {"reason": ""})
    shown = world.post(f"{page_of(case)}/reveal", {"reason": "the customer calls"}).body

    personal = ("user-1", "tok_000000001234", "device-1", "203.0.113.7")
    assert not [value for value in personal if value in masked]
    assert refused.status == 422
    assert not [value for value in personal if value not in shown]


def test_a_payment_says_what_its_labels_say(world: ConsoleWorld, case: Case) -> None:
    label = make_label(event_key=ROW.event_key)
    key = {"label_key": {"S": f"{label.event_key}#{label.label_id}"}}
    world.dynamodb.put_item(TableName="labels", Item=to_item(label) | key)

    assert "Judged: fraud (analyst)." in world.get(page_of(case)).body


def test_features_of_another_version_are_said_to_be_so(world: ConsoleWorld, case: Case) -> None:
    world.put_payments(make_scored(PAYMENT, feature_set="ffffff"))

    assert "Its features are of another version" in world.get(page_of(case)).body


def test_a_payment_offers_to_make_its_decision_again_and_shows_both(world: ConsoleWorld, case: Case) -> None:
    world.replays.answer = ReplayAnswer(
        made_again(risk_score=60, differences=(ReplayDifference("risk_score", "85", "60"),))
    )

    offered = world.get(page_of(case)).body
    body = world.get(f"{page_of(case)}/replay").body

    assert f'href="{page_of(case)}/replay" data-load="replay"' in offered
    assert "by ruleset 7+0123456789ab and model aaaaaaaaaaaa: not the same are risk score." in body
    assert '<tr class="odd"><th scope="row">Score</th><td>85</td><td>60<span' in body
    assert '<tr><th scope="row">Decision</th><td>block</td><td>block</td></tr>' in body
    assert world.replays.asked == [flag(ROW, NOW, RETENTION).key]


def test_a_decision_that_follows_from_its_row_is_said_to_be_the_same(world: ConsoleWorld, case: Case) -> None:
    world.replays.answer = ReplayAnswer(made_again())

    body = world.get(f"{page_of(case)}/replay").body

    assert "everything is the same." in body
    assert "odd" not in body[body.index('id="replay"') : body.index("Beside what is usual")]


def test_a_ruleset_that_is_gone_is_said_to_be(world: ConsoleWorld, case: Case) -> None:
    body = world.get(f"{page_of(case)}/replay").body

    assert "It cannot be made again. Ruleset 7 is not kept any more." in body


def test_a_payment_that_a_search_finds_is_decided_again_by_a_form(world: ConsoleWorld, case: Case) -> None:
    payment = payment_id(flag(make_scored(), NOW, RETENTION))
    form = {"subject": "user", "query": "user-1", "payment": payment}

    offered = world.post("/search/payment", form).body
    body = world.post("/search/payment/replay", form).body

    assert 'action="/search/payment/replay"' in offered
    assert "Ruleset 7 is not kept any more." in body


@pytest.mark.parametrize("part", ["payments/" + "0" * 32, "links/1", "links/x", "links/-1", "links/999"])
def test_what_is_not_of_the_case_is_not_found(world: ConsoleWorld, case: Case, part: str) -> None:
    assert world.get(f"/cases/{case.case_id}/{part}").status == 404


def test_a_shared_card_leads_to_the_other_case(world: ConsoleWorld, case: Case) -> None:
    closed: Any = {"status": CaseStatus.CLOSED, "verdict": CaseVerdict.FRAUD}
    other = world.put_case("user-2", entities=(CARD,), **closed)

    body = world.get(f"/cases/{case.case_id}/links").body

    assert "1 of its values is in other cases too." in body
    assert f'href="/cases/{other.case_id}"' in body
    assert "high, closed: fraud, of another user, opened" in body
    assert "</a>: the same card …1234</li>" in body
    assert "tok_000000001234" not in body


def test_a_card_has_a_page_with_its_cases_and_labels_and_its_name_is_in_no_address(
    world: ConsoleWorld, case: Case
) -> None:
    closed: Any = {"status": CaseStatus.CLOSED, "verdict": CaseVerdict.FRAUD}
    world.put_case("user-2", entities=(CARD,), opened_at=NOW - timedelta(days=1), **closed)
    risk = {"entity_id": CARD, "payment_key": "f#2026-02-28T12:00:00.000000Z#00000000000000ff"}
    item = {
        name: {"S": value} for name, value in (risk | {"known_at": "2026-03-01T00:00:00.000000Z"}).items()
    }
    world.dynamodb.put_item(TableName="entity_risk", Item=item)

    links = world.get(f"/cases/{case.case_id}/links").body
    body = world.get(f"/cases/{case.case_id}/links/0").body

    assert f'href="/cases/{case.case_id}/links/0"' in links
    assert "One card: …1234" in body
    assert "In 2 cases of 2 users; of the closed ones: 1 fraud." in body
    assert "1 payment called fraud, the newest of 28 Feb 2026, 12:00." in body
    assert CARD not in links + body


def test_a_device_has_a_page_with_what_it_did_across_users_and_names_none(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    cases = []
    for number in (1, 2):
        user_id = f"user-{number}"
        payment = make_transaction(user_id=user_id, transaction_id=f"tx-{number}")
        device = next(name for name in entity_names(payment) if name.startswith("d"))
        features = features_of(payment) | {"device_users_24h": 32, "saturated_entities": "device ip"}
        row = make_scored(
            payment,
            features=pack(features),
            feature_set=FEATURE_SET,
            amount_base=Decimal(1250),
            base_currency="USD",
        )
        cases.append(world.put_case(user_id, entities=(device,)))
        status = CONFIRMED_FRAUD if number == 2 else OPEN
        world.put_payments(row, case=cases[-1], status=status)

    body = world.get(f"/cases/{cases[0].case_id}/links/0").body

    assert "<dt>Flagged payments</dt><dd>2</dd>" in body
    assert "<dt>Judged</dt><dd>1 fraud, 0 legitimate, 1 undecided</dd>" in body
    assert "<dt>Money flagged</dt><dd>2,500.00 USD</dd>" in body
    assert "Users who made payments from this device in 24 hours." in body
    assert "Its users are counted up to 32, and there are that many or more." in body
    assert "ip_users_24h" not in body
    assert {"user 1", "user 2"} <= set(re.findall(r"<td>(user \d)</td>", body))
    assert all(f'href="/cases/{case.case_id}/payments/' in body for case in cases)
    assert not re.search(r"user-\d|device-1", body)


def test_a_page_of_an_entity_says_what_it_left_out(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    for number in range(MAX_CASES + 1):
        case = world.put_case(f"user-{number}", entities=(CARD,), opened_at=NOW - timedelta(minutes=number))

    body = world.get(f"/cases/{case.case_id}/links/0").body

    assert f"the newest {MAX_CASES} were counted. Payments are those of the newest 16 cases." in body
    assert "The rows of its flagged payments are not kept any more." in body


def test_a_case_without_entities_shares_nothing(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    case = world.put_case("user-9", entities=())

    assert "No other case has the same card" in world.get(f"/cases/{case.case_id}/links").body
