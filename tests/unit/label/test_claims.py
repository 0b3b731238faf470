"""A claim, which is a label of a customer or an early warning, does not release much money alone: people decide."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from contract.label import LabelSource, LabelVerdict
from ops.manifests import read_functions
from tests.support.labels import KNOWN_AT, make_message
from tests.support.payments import make_scored, make_transaction

if TYPE_CHECKING:
    from tests.support.label_world import LabelWorld

HOUR = timedelta(hours=1)
CLAIM = make_message(
    transaction_id="tx-1", label_id="claim", verdict=LabelVerdict.LEGITIMATE, source=LabelSource.CUSTOMER
)


def said(world: LabelWorld, *messages: Any, **payment: Any) -> str:
    """Status of a blocked payment's row after these messages, each of which comes twice."""
    sent = make_transaction(**payment)
    is_priced = sent.currency == "USD"
    key = world.pay(make_scored(sent, amount_base=sent.amount if is_priced else None, base_currency="USD"))
    for message in messages:
        assert world.send(message, message) == []
    return world.state().statuses[key.event_key]


@pytest.mark.parametrize(
    ("payment", "status"),
    [
        ({"amount": Decimal("9999.99")}, "false_positive"),
        ({"amount": Decimal(10_000)}, "open"),
        ({"amount": Decimal(5), "currency": "CHF"}, "open"),
    ],
    ids=["little", "much", "without a rate"],
)
@pytest.mark.parametrize("source", [LabelSource.CUSTOMER, LabelSource.EARLY_WARNING])
def test_a_claim_of_legitimate_alone_releases_little_money_only(
    dynamo_world: LabelWorld, payment: dict[str, Any], status: str, source: LabelSource
) -> None:
    claim = make_message(
        transaction_id="tx-1", label_id="claim", verdict=LabelVerdict.LEGITIMATE, source=source
    )

    assert said(dynamo_world, claim, **payment) == status


@pytest.mark.parametrize("source", [LabelSource.ANALYST, LabelSource.CHARGEBACK])
def test_who_decides_on_evidence_releases_much_money_beside_a_claim(
    dynamo_world: LabelWorld, source: LabelSource
) -> None:
    decided = make_message(
        transaction_id="tx-1", label_id="decided", verdict=LabelVerdict.LEGITIMATE, source=source
    )

    assert said(dynamo_world, CLAIM, decided, amount=Decimal(1_000_000)) == "false_positive"


def test_a_claim_of_fraud_decides_whatever_the_money(dynamo_world: LabelWorld) -> None:
    claim = make_message(transaction_id="tx-1", label_id="fraud", source=LabelSource.CUSTOMER)

    assert said(dynamo_world, claim, amount=Decimal(1_000_000)) == "confirmed_fraud"


def test_a_claim_of_legitimate_after_one_of_fraud_leaves_much_money_to_people(
    dynamo_world: LabelWorld,
) -> None:
    fraud = make_message(
        transaction_id="tx-1", label_id="fraud", source=LabelSource.CUSTOMER, known_at=KNOWN_AT - HOUR
    )

    assert said(dynamo_world, fraud, CLAIM, amount=Decimal(1_000_000)) == "open"


def test_a_withdrawn_release_leaves_no_claim_that_releases_much_money(dynamo_world: LabelWorld) -> None:
    decided = make_message(transaction_id="tx-1", label_id="decided", verdict=LabelVerdict.LEGITIMATE)
    withdrawn = make_message(
        transaction_id="tx-1", label_id="back", verdict=LabelVerdict.WITHDRAWN, withdraws="decided"
    )

    assert said(dynamo_world, CLAIM, decided, withdrawn, amount=Decimal(1_000_000)) == "open"


def test_a_claim_releases_as_much_as_a_person_without_a_second_one() -> None:
    functions = read_functions()

    limit = functions["label"].environment["CLAIM_AMOUNT_BASE"]
    assert limit == functions["console"].environment["SECOND_LOOK_AMOUNT_BASE"]
