"""Card, device, address and payee are shown masked, lead to their own page, and say since when they are known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from console.parties import Earlier, known_text, numbers_of, parties
from console.rights import Group
from contract.entity_ids import entity_names
from engine.features.catalogue import FEATURE_SET
from engine.features.stored import pack
from tests.support.console_world import NOW, ConsoleWorld
from tests.support.feature_samples import features_of
from tests.support.payments import make_scored, make_transaction

PAYMENT = make_transaction(payee_id="IBAN-000011112222")


def known(letter: str, value: str = "device-1", payments: Any = (), **features: Any) -> str:
    return known_text(letter, value, Earlier(features or {"amount": 1.0}, payments))


def test_each_is_masked_and_names_its_page() -> None:
    names = entity_names(PAYMENT)

    found = parties(PAYMENT, names, numbers_of(names), is_revealed=False)

    assert [(each.name, each.value) for each in found] == [
        ("Card", "…1234"),
        ("Device", "…ce-1"),
        ("Address", "…13.7"),
        ("Payee", "…2222"),
    ]
    assert [names[int(each.number)][0] for each in found] == ["c", "d", "i", "p"]


def test_what_the_case_does_not_have_leads_nowhere() -> None:
    found = parties(PAYMENT, entity_names(PAYMENT), {}, is_revealed=True)

    assert {each.number for each in found} == {""}
    assert found[1].value == "device-1"


def test_a_device_says_how_often_the_user_paid_from_it_and_since_when() -> None:
    text = known("d", device_tx_count=34, device_age_days=12.4, device_known_days=40.0)

    assert (
        text
        == "34 usual payments of the user before, the first 12 days before; any user: first 40 days before"
    )


def test_a_payee_of_no_payment_is_new_to_the_user_and_to_everybody() -> None:
    text = known("p", payee_tx_count=0, payee_known_days=0.0, entities_partial="")

    assert text == "no usual payment of the user before; any user: never before"


def test_what_may_be_missing_is_not_called_new() -> None:
    assert known("p", payee_tx_count=1, payee_age_days=0.5, entities_partial="24h") == (
        "1 usual payment of the user before, the first 12 hours before"
    )


def test_a_card_is_counted_among_the_earlier_payments() -> None:
    others = [make_transaction(), make_transaction(card_id="tok_999900009999"), make_transaction()]

    texts = [
        known("c", card, others, entities_partial="none") for card in ("tok_000000001234", "tok_000000005678")
    ]

    assert texts == [
        "in 2 of 3 earlier payments of the user",
        "in none of 3 earlier payments of the user",
    ]


def test_without_features_nothing_is_said() -> None:
    assert known_text("d", "device-1", Earlier({})) == ""


def test_the_case_shows_them_beside_each_payment_with_links_and_what_became_of_it(
    world: ConsoleWorld,
) -> None:
    world.sign_in(Group.ANALYST)
    payment = make_transaction()
    names = entity_names(payment)
    case = world.put_case(entities=names)
    features = dict(features_of(payment)) | {
        "device_tx_count": 3,
        "device_age_days": 5.0,
        "device_known_days": 6.0,
    }
    row = make_scored(payment, features=pack(features), feature_set=FEATURE_SET)
    world.put_payments(row, case=case)
    world.put_payments(
        make_scored(make_transaction(transaction_id="t-0", timestamp=NOW - timedelta(hours=3)))
    )

    body = world.get(f"/cases/{case.case_id}").body

    device = (
        f'<a href="/cases/{case.case_id}/links/{[name[0] for name in names].index("d")}">Device …ce-1</a>'
    )
    known_since = (
        "3 usual payments of the user before, the first 5 days before; any user: first 6 days before"
    )
    assert f"{device}: {known_since}" in body
    assert body.count(device) == 3  # with the payment, and twice among the user's
    assert body.count('<td class="block">stopped</td>') == 3
