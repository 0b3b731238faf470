"""Functions of the stack can be invoked by boto3, as Lambda's are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.lambda_api import LambdaApi
from local.runtime.invocation import FunctionError, InvocationResult

if TYPE_CHECKING:
    from collections.abc import Iterator


class Echo:
    """Answers with the event, or fails if the event asks for it."""

    def __init__(self) -> None:
        self.is_stopped = False

    def invoke(self, event: object) -> InvocationResult:
        assert isinstance(event, bytes)
        asked = json.loads(event)
        error = FunctionError("ValueError", "asked for") if asked.get("fail") else None
        return InvocationResult(request_id="1", payload=event, error=error, duration_ms=1.0)

    def stop(self) -> None:
        self.is_stopped = True


@pytest.fixture
def client() -> Iterator[Any]:
    echo = Echo()
    with LambdaApi({"echo": echo}) as api:
        yield boto3.client(
            "lambda",
            endpoint_url=api.endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
    assert echo.is_stopped


def test_a_function_gets_the_event_and_its_answer_comes_back(client: Any) -> None:
    answer = client.invoke(FunctionName="echo", Payload=b'{"a": 1}')

    assert json.loads(answer["Payload"].read()) == {"a": 1}
    assert "FunctionError" not in answer


def test_a_function_that_fails_is_said_to_have_failed(client: Any) -> None:
    answer = client.invoke(FunctionName="echo", Payload=b'{"fail": true}')

    assert answer["FunctionError"] == "Unhandled"


def test_a_function_that_does_not_exist_is_refused_as_lambda_refuses_it(client: Any) -> None:
    with pytest.raises(ClientError) as refusal:
        client.invoke(FunctionName="nobody", Payload=b"{}")

    assert refusal.value.response["Error"]["Code"] == "ResourceNotFoundException"
