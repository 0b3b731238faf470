"""A producer of payments: it signs in to the brokers with IAM, and writes each payment to the topic once.

It needs ``confluent-kafka``, ``aws-msk-iam-sasl-signer-python`` and ``boto3``, and nothing of this repository. Copy it.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import KafkaError, Message, Producer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

TOPIC: Final = "transaction_stream"

DELIVERY_SECONDS: Final = 30
"""How long the client tries to deliver a payment before it reports it as not delivered."""


class DeliveryError(Exception):
    """The brokers did not take a payment; names its transaction id and the reason, and no other field."""


def iam_token(region: str, role_arn: str | None) -> tuple[str, float]:
    """Sign a token for the brokers.

    Parameters
    ----------
    region : str
        Region of the cluster.
    role_arn : str or None
        The producer's role, from the output `producer_role_arns`. None if the process has that role already.

    Returns
    -------
    tuple of str and float
        The token, and when it expires, in seconds since the epoch. The client asks for a new one before that.
    """
    # Imported here: on one machine there is no sign-in.
    from aws_msk_iam_sasl_signer import (  # type: ignore[import-untyped]
        MSKAuthTokenProvider,
    )

    if role_arn is None:
        token, expires_at_ms = MSKAuthTokenProvider.generate_auth_token(region)
    else:
        token, expires_at_ms = MSKAuthTokenProvider.generate_auth_token_from_role_arn(
            region, role_arn, "producer"
        )
    return token, expires_at_ms / 1000


def settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """The client's settings, from the environment.

    Parameters
    ----------
    environment : mapping
        ``KAFKA_BOOTSTRAP_SERVERS`` from the output `kafka_bootstrap_servers`. ``AWS_REGION`` signs in with IAM over TLS, with
        ``PRODUCER_ROLE_ARN`` if the process does not have the role itself. ``KAFKA_SECURITY_PROTOCOL=PLAINTEXT`` is for the stack on
        one machine, whose broker asks for no sign-in.

    Returns
    -------
    dict
        Settings of librdkafka.
    """
    found: dict[str, Any] = {
        "bootstrap.servers": environment["KAFKA_BOOTSTRAP_SERVERS"],
        # Each payment once and in order: a record that is sent again after a lost answer is not stored again.
        "enable.idempotence": True,
        "acks": "all",
        "delivery.timeout.ms": DELIVERY_SECONDS * 1000,
        "compression.type": "lz4",
        "linger.ms": 5,  # a batch waits so long for more payments
    }
    if environment.get("KAFKA_SECURITY_PROTOCOL") == "PLAINTEXT":
        return found
    region, role_arn = environment["AWS_REGION"], environment.get("PRODUCER_ROLE_ARN")
    return found | {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "OAUTHBEARER",
        "oauth_cb": lambda _: iam_token(region, role_arn),
    }


def send(producer: Producer, payments: Iterable[Mapping[str, Any]]) -> int:
    """Write payments to the topic and wait until the brokers have them.

    Parameters
    ----------
    producer : Producer
        Made with `settings`.
    payments : iterable of mapping
        Fields as `functions/contract/schemas/transaction.schema.json` names them. An amount is text, such as ``"12.50"``: a float
        would round it.

    Returns
    -------
    int
        How many the brokers took: all of them.

    Raises
    ------
    DeliveryError
        For the first payment that was not delivered. Send the whole batch again: the system recognises a repeat.
    """
    failures: list[tuple[str, KafkaError]] = []
    sent = 0
    for payment in payments:
        # The key decides the partition, so that one user's payments stay in order.
        while True:
            try:
                producer.produce(
                    TOPIC,
                    key=str(payment["user_id"]),
                    value=json.dumps(payment),
                    on_delivery=_noted(str(payment["transaction_id"]), failures),
                )
                break
            except BufferError:  # the client's queue is full: wait until the brokers have taken some
                producer.poll(1)
        sent += 1
        producer.poll(0)
    # Every payment is delivered or reported as failed within the delivery time-out.
    producer.flush(DELIVERY_SECONDS + 5)
    if failures:
        transaction_id, error = failures[0]
        raise DeliveryError(f"{transaction_id}: {error.str()}; {len(failures)} of {sent} were not delivered")
    return sent


def _noted(
    transaction_id: str, failures: list[tuple[str, KafkaError]]
) -> Callable[[KafkaError | None, Message], None]:
    def note(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append((transaction_id, error))

    return note


def main() -> int:
    """Send the payments of standard input, one JSON object a line; 1 if any was not delivered."""
    producer = Producer(settings(os.environ))
    try:
        sent = send(producer, (json.loads(line) for line in sys.stdin))
    except DeliveryError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{sent} payments are on {TOPIC}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
