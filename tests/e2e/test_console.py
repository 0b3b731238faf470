"""From a flagged payment to its case, to what a person says of it in the console, and to what the next payment is told."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from contract.entity_ids import entity_names
from contract.label import LABELS_TABLE
from contract.label_rows import ENTITY_RISK_TABLE
from contract.transaction import encode_transaction
from local.stack import Stack
from tests.support.browser import Browser

from .conftest import System
from .payments import new_user, payment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.scored import ScoredTransaction


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The stages that a payment passes until somebody judges it, and those that what is said passes on its way back."""
    build_dir = tmp_path_factory.mktemp("stack")
    with Stack(build_dir) as stack:
        stack.start(functions=["score", "persist", "case", "label", "console"], ingestion=False)
        yield System(stack, build_dir)


def scored(system: System, amount: Decimal, device: str) -> ScoredTransaction:
    user_id = new_user()
    system.produce(encode_transaction(payment(user_id, amount=amount, device_id=device)), key=user_id)
    return system.wait_for(lambda: system.history(user_id), "the history row")[0]


def rows_of(system: System, table: str, name: str, value: str) -> list[dict[str, Any]]:
    answer = system.stack.client("dynamodb").query(
        TableName=system.stack.resources.tables[table],
        KeyConditionExpression=f"{name} = :value",
        ExpressionAttributeValues={":value": {"S": value}},
        ConsistentRead=True,
    )
    items: list[dict[str, Any]] = answer["Items"]
    return items


def case_of(system: System, row: ScoredTransaction) -> str | None:
    flagged = system.flagged(row.transaction.transaction_id) or {}
    found: str | None = flagged.get("case_id", {}).get("S")
    return found


def test_what_is_said_in_the_console_is_told_to_the_next_payment(system: System) -> None:
    device = f"device-of-{new_user()}"
    suspicious = scored(system, Decimal(25_000), device)
    case = system.wait_for(lambda: case_of(system, suspicious), "the case")
    site = system.stack.resources.console
    assert site is not None
    browser = Browser()
    browser.sign_in(site.url, "lead", site.passwords["lead"])
    browser.open(f"/cases/{case}")
    browser.send("Take this case")

    browser.send("Probably fraud", verdict="fraud", fraud_type="account_takeover")
    browser.send("Yes, judge so")  # 25,000 are much money

    def status() -> str:
        found = system.flagged(suspicious.transaction.transaction_id)
        return "" if found is None else str(found["status"]["S"])

    system.wait_for(lambda: status() == "confirmed_fraud", "the status of the flagged row")
    (label,) = rows_of(system, LABELS_TABLE, "user_id", suspicious.transaction.user_id)
    assert {name: label[name]["S"] for name in ("verdict", "source", "fraud_type")} == {
        "verdict": "fraud",
        "source": "analyst",
        "fraud_type": "account_takeover",
    }
    names = entity_names(suspicious.transaction)
    system.wait_for(
        lambda: all(rows_of(system, ENTITY_RISK_TABLE, "entity_id", name) for name in names),
        "the risk of each entity",
    )

    def next_reason() -> str:
        row = scored(system, Decimal("9.90"), device)
        return next((each.sentence for each in row.reasons if each.rule_id == "device_with_fraud"), "")

    reason = system.wait_for(next_reason, "the next payment's reason")
    assert reason.startswith("Payments from this device in 30 days that were reported as fraud: 1;")
