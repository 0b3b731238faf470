"""Search finds payments and cases by what people know of them; what was asked is in no address, no log and no audit event."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from console.rights import Group
from console.search_pages import FIELDS, entity_of
from contract.audit_values import asked_text, value_hash
from contract.entity_ids import entity_names
from contract.scored import Decision
from tests.support.payments import NOW, make_scored, make_transaction

if TYPE_CHECKING:
    from tests.support.console_world import ConsoleWorld

PAYMENT = make_transaction(payee_id="payee-1")
VALUES = {
    "card_id": "tok_000000001234",
    "device_id": "device-1",
    "ip_address": "203.0.113.7",
    "merchant_id": "merchant-1",
    "payee_id": "payee-1",
}


def find(world: ConsoleWorld, by: str, query: str) -> str:
    return world.post("/search", {"subject": by, "query": query}).body


def shown(page: str) -> str:
    """The first payment on a page of what was found, as its form names it."""
    first: str = re.findall(r'name="payment" value="(\w{32})"', page)[0]
    return first


def test_a_user_is_found_with_all_payments_and_cases(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    case = world.put_case()
    world.put_payments(make_scored(), case=case)
    other = make_transaction(transaction_id="tx-2")
    world.put_payments(make_scored(other, decision=Decision.APPROVE, reasons=()))

    body = find(world, "user", " user-1 ")

    assert "User id: 2 payments, 1 case" in body
    assert (
        body.count(f'href="/cases/{case.case_id}"') == 2
    )  # in the list of cases, and at the flagged payment


@pytest.mark.parametrize("field", VALUES)
def test_cases_are_found_by_what_their_payments_touch(world: ConsoleWorld, field: str) -> None:
    world.sign_in(Group.ANALYST)
    case = world.put_case(entities=entity_names(PAYMENT))

    body = find(world, field, VALUES[field])

    assert "0 payments, 1 case" in body
    assert f'href="/cases/{case.case_id}"' in body


def test_a_payment_is_found_by_its_id_and_shown(world: ConsoleWorld) -> None:
    world.sign_in(Group.AUDITOR)
    world.put_payments(make_scored(decision=Decision.APPROVE, reasons=()))

    found = find(world, "transaction", "tx-1")
    page = world.post(
        "/search/payment", {"subject": "transaction", "query": "tx-1", "payment": shown(found)}
    ).body

    assert "Transaction id: 1 payment, 0 cases" in found
    assert "user-1" not in found
    assert "Payment: 1,250.00 USD" in page
    assert "No rule gave points." in page
    assert "Show them" not in page


def test_nothing_found_is_said(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)

    body = find(world, "card_id", "tok_none")

    assert "Card token: 0 payments, 0 cases" in body
    assert "It is in no case." in body


@pytest.mark.parametrize(
    "form",
    [
        {"subject": "user", "query": "  "},
        {"subject": "name", "query": "x"},
        {},
    ],
)
def test_a_search_for_nothing_is_refused(world: ConsoleWorld, form: dict[str, Any]) -> None:
    world.sign_in(Group.ANALYST)

    assert world.post("/search", form).status == 422
    assert world.post("/search/payment", form | {"payment": "0" * 32}).status == 422


@pytest.mark.parametrize("payment", ["", "0", "0" * 32, "ä"])
def test_a_payment_that_was_not_found_is_not_shown(world: ConsoleWorld, payment: str) -> None:
    world.sign_in(Group.ANALYST)
    world.put_payments(make_scored())

    form = {"subject": "transaction", "query": "tx-1", "payment": payment}
    assert world.post("/search/payment", form).status == 422


def test_a_payment_that_came_in_meanwhile_is_not_shown_in_the_place_of_the_chosen_one(
    world: ConsoleWorld,
) -> None:
    world.sign_in(Group.ANALYST)
    world.put_payments(make_scored())
    chosen = shown(find(world, "user", "user-1"))
    later = make_transaction(transaction_id="tx-2", amount=Decimal(7), timestamp=NOW + timedelta(minutes=5))
    world.put_payments(make_scored(later))

    page = world.post("/search/payment", {"subject": "user", "query": "user-1", "payment": chosen}).body

    assert "Payment: 1,250.00 USD" in page


def test_the_trail_says_what_was_searched_by_and_for_what_to_those_who_know_it(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)

    find(world, "user", " user-secret ")

    (event,) = world.trail()
    assert (event.action, event.subject) == ("searched", "user")
    assert event.details == {"asked": value_hash("user", "user-secret")}


def test_the_trail_says_which_payment_of_a_search_was_seen(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    world.put_payments(make_scored())
    payment = shown(find(world, "transaction", "tx-1"))

    world.post("/search/payment", {"subject": "transaction", "query": "tx-1", "payment": payment})

    (event,) = [each for each in world.trail() if each.action == "payment_viewed"]
    assert event.details == {"payment": payment, "asked": value_hash("transaction", "tx-1")}


def test_a_search_for_markup_shows_none(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    evil = '"><script>alert(1)</script>'
    world.put_payments(make_scored(make_transaction(transaction_id=evil)))

    body = find(world, "transaction", evil)

    assert "1 payment," in body
    assert "<script>alert" not in body


@pytest.mark.parametrize("field", VALUES)
def test_a_value_is_the_entity_that_payments_with_it_touch(field: str) -> None:
    assert entity_of(field, VALUES[field]) in entity_names(PAYMENT)
    assert field in dict(FIELDS)


def test_an_address_is_read_as_payments_addresses_are() -> None:
    assert entity_of("ip_address", "203.0.113.7:443") == entity_of("ip_address", "203.0.113.7")
    assert entity_of("ip_address", "no address") is None


def test_the_trail_has_the_hash_of_the_text_that_was_searched_for(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    long = f"{'u' * 255} and more than a search takes"

    find(world, "user", long)

    (event,) = world.trail()
    assert event.details == {"asked": value_hash("user", "u" * 255)}
    assert value_hash("user", long) == value_hash("user", asked_text(long)) == event.details["asked"]
