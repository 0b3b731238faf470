"""Lambda's `Invoke`, as boto3 calls it: with an answer, or without waiting for one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.lambda_api import MAX_EVENT_BYTES, LambdaApi
from local.runtime.invocation import FunctionError, InvocationResult
from local.runtime.pool import PoolStoppedError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Function:
    """Answers when a test lets it."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self.began, self.may_end, self.stopped = threading.Event(), threading.Event(), threading.Event()
        self.error: FunctionError | None = None

    def invoke(self, event: object) -> InvocationResult:
        if self.stopped.is_set():
            raise PoolStoppedError("stopped")
        self.events.append(event)
        self.began.set()
        assert self.may_end.wait(20)
        return InvocationResult(request_id="1", payload=b'{"done": true}', error=self.error, duration_ms=1.0)

    def stop(self) -> None:
        self.stopped.set()
        self.may_end.set()


class World:
    """The API with two functions, of which one keeps what fails."""

    def __init__(self) -> None:
        self.function, self.keeping = Function(), Function()
        self.lines: list[str] = []
        self.reported = threading.Event()
        functions = {"trial": self.function, "keeping": self.keeping}
        self.api = LambdaApi(functions, ["trial"], self._report)

    def _report(self, line: str) -> None:
        self.lines.append(line)
        self.reported.set()

    @property
    def client(self) -> Any:
        return boto3.client(
            "lambda",
            endpoint_url=self.api.endpoint,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=20),
        )


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    with world.api:
        yield world


def test_whoever_waits_gets_the_answer(world: World) -> None:
    world.function.may_end.set()

    answer = world.client.invoke(FunctionName="trial", Payload=b'{"a": 1}')

    assert (answer["StatusCode"], answer["Payload"].read()) == (200, b'{"done": true}')
    assert "FunctionError" not in answer
    assert world.function.events == [b'{"a": 1}']


def test_whoever_waits_sees_that_the_function_failed(world: World) -> None:
    world.function.error = FunctionError("ValueError", "asked for")
    world.function.may_end.set()

    answer = world.client.invoke(FunctionName="trial", Payload=b"{}")

    assert answer["FunctionError"] == "Unhandled"
    assert world.lines == []


def test_an_asynchronous_request_is_answered_before_the_function_has_ended(world: World) -> None:
    answer = world.client.invoke(FunctionName="trial", Payload=b'{"job": 1}', InvocationType="Event")

    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    assert "FunctionError" not in answer
    assert world.function.began.wait(20)
    assert world.function.events == [b'{"job": 1}']
    assert not world.function.may_end.is_set()


def test_an_asynchronous_request_that_fails_is_reported_and_not_tried_again(world: World) -> None:
    world.function.error = FunctionError("Sandbox.Timedout", "after 600 s")
    world.function.may_end.set()

    world.client.invoke(FunctionName="trial", Payload=b"{}", InvocationType="Event")

    assert world.reported.wait(20)
    assert world.lines == ["trial: Sandbox.Timedout: after 600 s"]
    assert len(world.function.events) == 1


@pytest.mark.parametrize(
    ("name", "invocation", "payload", "error"),
    [
        ("absent", "RequestResponse", b"{}", "ResourceNotFoundException"),
        ("absent", "Event", b"{}", "ResourceNotFoundException"),
        ("keeping", "Event", b"{}", "InvalidParameterValueException"),
        ("trial", "Event", b'"' + b"x" * MAX_EVENT_BYTES + b'"', "RequestEntityTooLargeException"),
    ],
)
def test_a_request_that_would_be_lost_is_refused(
    world: World, name: str, invocation: Any, payload: bytes, error: str
) -> None:
    with pytest.raises(ClientError) as caught:
        world.client.invoke(FunctionName=name, Payload=payload, InvocationType=invocation)

    assert caught.value.response["Error"]["Code"] == error
    assert (world.function.events, world.keeping.events) == ([], [])


def test_the_end_of_the_stack_ends_what_is_worked_on() -> None:
    world = World()
    with world.api:
        world.client.invoke(FunctionName="trial", Payload=b"{}", InvocationType="Event")
        assert world.function.began.wait(20)

    assert world.function.stopped.is_set()
