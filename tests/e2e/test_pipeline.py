"""From a file or a Kafka record to an alert, through all real parts."""

from __future__ import annotations

import gzip
import uuid
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import yaml

from contract.alert import Alert, decode_message
from contract.scored import Decision
from contract.transaction import encode_transaction
from engine.decide import is_fraudulent
from engine.features.stored import unpack
from engine.rules.ruleset import parse_ruleset
from local.demo.final_state import quarantined_id
from local.resources import ALERT_INBOX, INGESTION_QUARANTINE_PREFIX
from local.rulesets import Rulesets
from ops.manifests import ROOT

from .payments import new_user, payment

if TYPE_CHECKING:
    from .conftest import System

NOW = datetime.now(UTC)


def alert_of(system: System, transaction_id: str) -> Alert | None:
    """The alert that a subscriber received for a payment; other messages stay in the queue."""
    messages = system.stack.client("sqs").receive_message(
        QueueUrl=system.stack.resources.queues[ALERT_INBOX], MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    for message in messages.get("Messages", []):
        alert = decode_message(msgspec.json.decode(message["Body"])["Message"])
        if isinstance(alert, Alert) and alert.transaction.transaction_id == transaction_id:
            return alert
    return None


def quarantine(system: System) -> dict[tuple[int, int], dict[str, Any]]:
    """Messages in the quarantine queue by position; none is removed."""
    found = {}
    answer = system.stack.client("sqs").receive_message(
        QueueUrl=system.stack.resources.queues["quarantine"], MaxNumberOfMessages=10, VisibilityTimeout=5
    )
    for message in answer.get("Messages", []):
        body = msgspec.json.decode(message["Body"])
        found[body["partition"], body["offset"]] = body
    return found


def test_a_payment_from_any_kafka_client_is_scored_stored_flagged_and_alerted_on(system: System) -> None:
    user_id = new_user()
    suspicious = payment(user_id, amount=Decimal(25_000))

    system.produce(encode_transaction(suspicious), key=user_id)

    row = system.wait_for(lambda: system.history(user_id), "the history row")[0]
    assert row.transaction == suspicious
    assert row.decision is not Decision.APPROVE
    flagged = system.wait_for(lambda: system.flagged(suspicious.transaction_id), "the flagged row")
    assert flagged["user_id"]["S"] == user_id
    alert = system.wait_for(lambda: alert_of(system, suspicious.transaction_id), "the alert")
    assert alert.risk_score == row.risk_score
    assert [reason.rule_id for reason in alert.reasons] == [reason.rule_id for reason in row.reasons]


def test_a_landed_file_is_cleaned_keyed_tokenised_and_scored(system: System) -> None:
    user_id = new_user()
    ids = [f"tx-{uuid.uuid4().hex}" for _ in range(3)]
    at = (NOW - timedelta(minutes=5)).strftime("%Y-%m-%d %H:%M:%S")
    rows = "".join(f'{name},{user_id},"1,234.50",eur,{at},4111 1111 1111 1111,web\n' for name in ids)
    header = "txn_id,customer_id,amt,currency,event_time,card_number,channel,unknown\n"

    system.drop(f"{uuid.uuid4().hex}.csv.gz", gzip.compress((header.replace(",unknown", "") + rows).encode()))

    history = system.wait_for(lambda: system.all_rows(user_id, 3), "three rows")
    assert sorted(row.transaction.transaction_id for row in history) == sorted(ids)
    first = history[0].transaction
    assert (first.amount, first.currency) == (Decimal("1234.50"), "EUR")
    assert first.card_id is not None
    assert "4111" not in first.card_id


def test_a_decision_can_be_recomputed_from_its_stored_row(system: System) -> None:
    user_id = new_user()
    ruleset = parse_ruleset((ROOT / "rules" / "default.yaml").read_text())
    for amount in (20, 30, 9_000):
        system.produce(encode_transaction(payment(user_id, amount=Decimal(amount))), key=user_id)

    rows = system.wait_for(lambda: system.all_rows(user_id, 3), "three rows")

    for row in rows:
        features = unpack(row.features, row.feature_set)
        verdict = is_fraudulent(features, row.transaction, ruleset)
        assert (verdict.risk_score, verdict.decision, verdict.reasons) == (
            row.risk_score,
            row.decision,
            row.reasons,
        )


def test_a_payment_under_another_key_is_scored_by_its_user(system: System) -> None:
    user_id = new_user()

    system.produce(encode_transaction(payment(user_id)), key="somebody-else")

    assert system.wait_for(lambda: system.history(user_id), "the row")[0].transaction.user_id == user_id


def spoiled(**changes: object) -> bytes:
    """A payment as JSON with raw changes; None removes a field."""
    document: dict[str, object] = msgspec.json.decode(encode_transaction(payment("user-bad")))
    document |= changes
    return msgspec.json.encode({name: value for name, value in document.items() if value is not None})


BAD_RECORDS: dict[str, tuple[bytes | None, str]] = {
    "not JSON": (b"hello", "$"),
    "not an object": (b"[1, 2]", "$"),
    "truncated UTF-8": (spoiled()[:-4] + b"\xe2\x82", "$"),
    "null value": (None, "$"),
    "1 MiB of garbage": (b"\xa7" * 1_000_000, "$"),
    "missing id": (spoiled(transaction_id=None), "transaction_id"),
    "empty id": (spoiled(user_id=""), "user_id"),
    "id of 10,000 characters": (spoiled(user_id="u" * 10_000), "user_id"),
    "negative amount": (spoiled(amount="-1"), "amount"),
    "NaN amount": (spoiled(amount="NaN"), "amount"),
    "infinite amount": (spoiled(amount="Infinity"), "amount"),
    "amount of 1e400": (spoiled(amount="@").replace(b'"@"', b"1e400"), "amount"),
    "30-digit amount": (spoiled(amount="1" * 30), "amount"),
    "unknown currency": (spoiled(currency="XQZ"), "currency"),
    "timestamp without zone": (spoiled(timestamp="2026-01-01T00:00:00"), "timestamp"),
    "no time": (spoiled(timestamp="yesterday"), "timestamp"),
    "a key twice": (spoiled()[:-1] + b',"amount":"1"}', "$"),
    "nested bomb": (b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}", "$"),
    "control characters": (spoiled(user_id="a\u0000b"), "user_id"),
    "lone surrogate": (spoiled(user_id="@").replace(b'"@"', b'"\\ud800"'), "user_id"),
}


def test_every_bad_record_of_the_topic_ends_in_quarantine_with_reason_and_position(system: System) -> None:
    places = {name: system.produce(value) for name, (value, _) in BAD_RECORDS.items()}
    good = new_user()
    system.produce(encode_transaction(payment(good)), key=good)

    found: dict[tuple[int, int], dict[str, Any]] = {}

    def all_there() -> bool:
        found.update(quarantine(system))
        return set(places.values()) <= found.keys()

    system.wait_for(all_there, "every bad record in quarantine")
    for name, (value, field) in BAD_RECORDS.items():
        body = found[places[name]]
        assert (name, body["field"]) == (name, field)
        assert body["problem"]
        assert body["size_bytes"] == len(value or b"")
        if "value_uri" not in body and value is not None:
            assert b64decode(body["value_base64"]) == value
    assert system.wait_for(lambda: system.history(good), "the good payment")
    assert quarantined_id(found[places["not JSON"]]) is None


def test_every_bad_row_of_a_file_ends_in_quarantine_with_reason_and_file(system: System) -> None:
    name = f"{uuid.uuid4().hex}.jsonl"
    good = new_user()
    # In a file an amount below zero is a refund, which is counted.
    refund = BAD_RECORDS["negative amount"][0]
    bad = [value for value, _ in BAD_RECORDS.values() if value not in (None, refund)]
    # 1 MiB of garbage is a line too; a line feed would end a row.
    lines = [encode_transaction(payment(good)), *(value.replace(b"\n", b" ") for value in bad)]

    system.drop(name, b"\n".join(lines) + b"\n")

    bucket, s3 = system.stack.resources.buckets["quarantine"], system.stack.client("s3")

    def quarantined_rows() -> list[dict[str, Any]]:
        rows = []
        listing = s3.list_objects_v2(Bucket=bucket, Prefix=INGESTION_QUARANTINE_PREFIX)
        for entry in listing.get("Contents", []):
            if "/_temporary/" in entry["Key"]:
                continue  # Spark renames it when the batch is written
            body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            rows += [
                row
                for line in body.split(b"\n")
                if line and name in (row := msgspec.json.decode(line))["file"]
            ]
        return rows

    system.wait_for(lambda: len(quarantined_rows()) >= len(bad), "every bad row")
    rows = quarantined_rows()
    assert len(rows) == len(bad)
    assert all(row["reason"] for row in rows)
    assert system.wait_for(lambda: system.history(good), "the good payment")


def test_a_new_ruleset_is_active_within_a_minute_and_a_bad_one_is_refused(system: System) -> None:
    rulesets = Rulesets(system.stack.aws_endpoint, system.stack.resources.rules)
    default = (ROOT / "rules" / "default.yaml").read_text()
    document = yaml.safe_load(default)
    document["version"] = f"test-{uuid.uuid4().hex[:8]}"
    new = yaml.safe_dump(document, sort_keys=False)
    user_id = new_user()

    def scored_by() -> str:
        system.produce(encode_transaction(payment(user_id)), key=user_id)
        rows = system.history(user_id)
        return max(rows, key=lambda row: row.position.offset).ruleset_version if rows else ""

    try:
        rulesets.deploy(new)
        system.wait_for(lambda: scored_by().startswith(document["version"]), "the new ruleset", seconds=60)

        rulesets.deploy(new.replace("amount_base", "amount_bass"))
        log = system.stack.log_dir / "score.log"
        system.wait_for(lambda: scored_by() and '"RulesetRefused"' in log.read_text(), "the refusal")
        assert scored_by().startswith(document["version"])
    finally:
        rulesets.deploy(default)


@pytest.mark.parametrize("function", ["score", "persist", "alert"])
def test_the_functions_run_from_their_zips_alone(system: System, function: str) -> None:
    zip_file = ROOT / "build" / "functions" / "host" / f"{function}.zip"
    unpacked = list((system.stack.run_dir / "functions").glob(f"{function}-*"))

    assert zip_file.exists()
    assert unpacked
    assert {
        path.name for path in unpacked[0].iterdir() if path.name in {"score", "persist", "alert", "local"}
    } == {function}
