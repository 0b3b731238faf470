"""A refusal of SNS becomes an error that holds its code and nothing of the payment."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from alert.messages import make_alert, render
from common.topic import CLIENT_CONFIG, PublishError, SnsTopic
from tests.support.payments import NOW, make_claimed


class Sns:
    """A client that keeps requests, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self._error = error

    def publish(self, **request: Any) -> None:
        self.requests.append(request)
        if self._error is not None:
            raise self._error


def test_message_is_published_with_a_text_per_protocol_and_its_attributes() -> None:
    client: Any = Sns()

    SnsTopic(client, "arn:aws:sns:topic").publish(render(make_alert(make_claimed(), NOW)))

    (request,) = client.requests
    assert (request["TopicArn"], request["MessageStructure"]) == ("arn:aws:sns:topic", "json")
    assert request["MessageAttributes"]["severity"] == {"DataType": "String", "StringValue": "high"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ClientError({"Error": {"Code": "Throttled", "Message": "user-1"}}, "Publish"), "Throttled"),
        (EndpointConnectionError(endpoint_url="https://sns"), "EndpointConnectionError"),
        (BotoCoreError(), "BotoCoreError"),
    ],
)
def test_refusal_is_reported_by_its_code_alone(error: Exception, code: str) -> None:
    client: Any = Sns(error)

    with pytest.raises(PublishError) as failure:
        SnsTopic(client, "arn:aws:sns:topic").publish(render(make_alert(make_claimed(), NOW)))

    assert (failure.value.code, str(failure.value)) == (code, f"Publish: {code}")
    assert failure.value.__cause__ is error


def test_client_tries_three_times_within_seconds() -> None:
    config: Any = CLIENT_CONFIG

    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert (config.connect_timeout, config.read_timeout, config.tcp_keepalive) == (1, 5, True)


def test_request_holds_exactly_what_the_message_holds() -> None:
    client: Any = Sns()
    message = render(make_alert(make_claimed(), NOW))

    SnsTopic(client, "arn:aws:sns:topic").publish(message)

    (request,) = client.requests
    assert (request["Subject"], request["Message"]) == (message.subject, message.body)
    assert request["MessageAttributes"].keys() == message.attributes.keys()
