"""From a landed file of chargebacks to the status of flagged rows and the risk of entities, and back when one is withdrawn."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from contract.label import LABELS_TABLE
from contract.label_rows import ENTITY_RISK_TABLE
from contract.scored import Decision
from contract.transaction import encode_transaction
from local.ingestion import LABEL_MAPPINGS_VARIABLE
from local.resources import LABELS_PREFIX
from local.stack import Stack
from local.stack.parts import read_ingestion
from ops.manifests import ROOT

from .conftest import System
from .payments import new_user, payment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.scored import ScoredTransaction

HEADER = "Case Number;Scheme;Card Number;Order ID;Reason Code;Opened;Amount;Currency\n"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The stages that labels pass, and the ingestion job with the guide's mapping of chargebacks."""
    build_dir = tmp_path_factory.mktemp("stack")
    with pytest.MonkeyPatch.context() as patch, Stack(build_dir) as stack:
        patch.setenv(LABEL_MAPPINGS_VARIABLE, str(ROOT / "docs" / "labels" / "mappings"))
        stack.start(functions=["score", "persist", "label"])
        yield System(stack, build_dir)


def drop(system: System, name: str, text: str) -> None:
    bucket = system.stack.resources.buckets["landing"]
    system.stack.client("s3").put_object(Bucket=bucket, Key=f"{LABELS_PREFIX}{name}", Body=text.encode())


def rows_of(system: System, table: str, **key: str) -> list[dict[str, Any]]:
    ((name, value),) = key.items()
    answer = system.stack.client("dynamodb").query(
        TableName=system.stack.resources.tables[table],
        KeyConditionExpression=f"{name} = :value",
        ExpressionAttributeValues={":value": {"S": value}},
        ConsistentRead=True,
    )
    items: list[dict[str, Any]] = answer["Items"]
    return items


def status_of(system: System, scored: ScoredTransaction) -> str:
    item = system.flagged(scored.transaction.transaction_id)
    assert item is not None
    assert item["status_shard"]["S"].startswith(f"{item['status']['S']}#")
    status: str = item["status"]["S"]
    return status


def scored(system: System, amount: Decimal, device: str) -> ScoredTransaction:
    user_id = new_user()
    sent = payment(user_id, amount=amount, device_id=device)
    system.produce(encode_transaction(sent), key=user_id)
    return system.wait_for(lambda: system.history(user_id), "the history row")[0]


def reason_of_next(system: System, device: str) -> str:
    """What the rule on frauds of a device says of the next payment from it; empty where it does not hold."""
    row = scored(system, Decimal("9.90"), device)
    return next((reason.sentence for reason in row.reasons if reason.rule_id == "device_with_fraud"), "")


def test_a_file_of_chargebacks_confirms_frauds_approved_ones_too_and_a_withdrawal_undoes_it(
    system: System,
) -> None:
    device = f"device-of-{new_user()}"
    suspicious, approved = scored(system, Decimal(25_000), device), scored(system, Decimal("9.90"), device)
    assert suspicious.decision is not Decision.APPROVE
    assert approved.decision is Decision.APPROVE
    system.wait_for(lambda: system.flagged(suspicious.transaction.transaction_id), "the flagged row")
    assert status_of(system, suspicious) == "open"

    today = datetime.now(UTC).strftime("%d.%m.%Y")
    ids = [row.transaction.transaction_id for row in (suspicious, approved)]
    drop(
        system,
        "chargebacks/cb.csv",
        HEADER
        + "".join(f"cb-{name[-9:]};Visa;4111111111111111;{name};10.4;{today};1,00;EUR\n" for name in ids)
        + f"cb-late;Visa;4111111111111111;{ids[0]};13.1;{today};1,00;EUR\n"
        + f"cb-odd;Visa;4111111111111111;{ids[0]};99;{today};1,00;EUR\n",
    )

    system.wait_for(lambda: status_of(system, suspicious) == "confirmed_fraud", "the confirmed fraud")
    (label,) = system.wait_for(
        lambda: rows_of(system, LABELS_TABLE, user_id=approved.transaction.user_id),
        "the approved one's label",
    )
    assert {name: label[name]["S"] for name in ("verdict", "source", "fraud_type", "label_id")} == {
        "verdict": "fraud",
        "source": "chargeback",
        "fraud_type": "card_not_present",
        "label_id": f"cb-{ids[1][-9:]}",
    }
    entities = [entity["S"] for entity in label["entity_ids"]["L"]]
    frauds = system.wait_for(
        lambda: [
            found
            for each in entities
            if len(found := rows_of(system, ENTITY_RISK_TABLE, entity_id=each)) == 2
        ],
        "both frauds of the device",
    )
    assert all(row["payment_key"]["S"].startswith("f#") for row in frauds[0])
    system.wait_for(
        lambda: reason_of_next(system, device).startswith(
            "Payments from this device in 30 days that were reported as fraud: 2;"
        ),
        "the next payment's reason",
    )
    progress = read_ingestion(system.stack.log_dir).labels
    assert (progress.sent, progress.quarantined, progress.ready) == (2, 1, True)

    now = datetime.now(UTC).isoformat()
    drop(
        system,
        "own/withdrawn.csv",
        "transaction_id,verdict,source,known_at,withdraws\n"
        f"{ids[0]},withdrawn,chargeback,{now},cb-{ids[0][-9:]}\n",
    )

    system.wait_for(lambda: status_of(system, suspicious) == "open", "the row to be open again")
    system.wait_for(
        lambda: reason_of_next(system, device).startswith(
            "Payments from this device in 30 days that were reported as fraud: 1;"
        ),
        "one fraud to be left",
    )
    assert system.flagged(ids[1]) is None
