"""The example producer on a real broker, which asks for no sign-in, and its sign-in's token without one."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from docs.producers import producer as example
from ops.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCAL = {"KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}


def payment(number: int) -> dict[str, Any]:
    return {
        "transaction_id": f"t-{number}",
        "user_id": f"user-{number % 2}",
        "amount": "12.50",
        "currency": "EUR",
        "timestamp": "2026-11-26T12:00:00Z",
    }


@pytest.fixture(scope="module")
def topic(kafka_bootstrap: str) -> str:
    """The topic of payments, on the session's broker, where other tests may have made it."""
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    if example.TOPIC not in admin.list_topics(timeout=30).topics:
        admin.create_topics([NewTopic(example.TOPIC, 3)])[example.TOPIC].result(30)
    return example.TOPIC


def read(bootstrap: str, topic: str, names: set[str]) -> list[tuple[str, dict[str, Any], int]]:
    """Key, payment and partition of the records of these payments, as often as they are on the topic."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "test-producer", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    found = []
    try:
        for message in _messages(consumer, len(names)):
            key, value = message.key(), message.value()
            if key is None or value is None or not value.startswith(b"{"):
                continue
            payment = json.loads(value)
            if payment.get("transaction_id") in names:
                found.append((key.decode(), payment, message.partition() or 0))
    finally:
        consumer.close()
    return found


def _messages(consumer: Consumer, at_least: int) -> Iterator[Message]:
    """All messages, to the end of the topic: until there are so many and no more come."""
    count = 0
    while messages := consumer.consume(500, timeout=60 if count < at_least else 2):
        for message in messages:
            assert message.error() is None
            count += 1
            yield message


def test_each_payment_is_on_the_topic_once_keyed_by_its_user(kafka_bootstrap: str, topic: str) -> None:
    payments = [payment(number) for number in range(40)]

    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/producers/producer.py")],
        env=LOCAL | {"KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap},
        input="\n".join(json.dumps(each) for each in payments),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "40 payments are on transaction_stream\n"), done.stderr
    found = read(kafka_bootstrap, topic, {each["transaction_id"] for each in payments})
    assert sorted(each["transaction_id"] for _, each, _ in found) == sorted(
        each["transaction_id"] for each in payments
    )
    assert all(key == each["user_id"] for key, each, _ in found)
    assert len({partition for key, _, partition in found if key == "user-0"}) == 1


def test_a_payment_that_no_broker_takes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example, "DELIVERY_SECONDS", 1)
    nowhere = LOCAL | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    producer = Producer(example.settings(nowhere) | {"log_level": 0})

    with pytest.raises(example.DeliveryError, match=r"^t-1: .+; 2 of 2 were not delivered$"):
        example.send(producer, [payment(1), payment(2)])


def test_in_aws_it_signs_in_with_a_token_for_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    settings = example.settings({"KAFKA_BOOTSTRAP_SERVERS": "b-1:9098", "AWS_REGION": "eu-central-1"})

    token, expires_at = settings["oauth_cb"]("")

    url = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    asked = parse_qs(urlsplit(url).query)
    assert settings["security.protocol"] == "SASL_SSL"
    assert asked["Action"] == ["kafka-cluster:Connect"]
    assert "/eu-central-1/kafka-cluster/" in asked["X-Amz-Credential"][0]
    assert expires_at > 0


def test_a_producer_of_another_account_signs_in_with_its_role(monkeypatch: pytest.MonkeyPatch) -> None:
    from aws_msk_iam_sasl_signer import (  # type: ignore[import-untyped]
        MSKAuthTokenProvider,
    )

    asked: list[tuple[str, str]] = []

    def from_role(region: str, role_arn: str, _: str) -> tuple[str, int]:
        asked.append((region, role_arn))
        return "token", 2_000

    monkeypatch.setattr(MSKAuthTokenProvider, "generate_auth_token_from_role_arn", from_role)
    role = "arn:aws:iam::123456789012:role/fraud-prod-producer-cards"

    settings = example.settings(
        {"KAFKA_BOOTSTRAP_SERVERS": "b-1:9098", "AWS_REGION": "us-east-1", "PRODUCER_ROLE_ARN": role}
    )

    assert settings["oauth_cb"]("") == ("token", 2.0)
    assert asked == [("us-east-1", role)]
