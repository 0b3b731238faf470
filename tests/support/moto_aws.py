"""AWS in this process: moto answers boto3, and no socket is opened."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Factory: a boto3 client of one service, whose state ends with the test."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield _client


@cache
def _client(service: str) -> Any:
    # One for the session: reading a service's model takes longer than a test. moto answers for all clients.
    make_client: Any = boto3.client  # its overloads take service names, not any text
    return make_client(service)


class OneAtATime:
    """A client of moto for threads: moto reads and writes a row in two steps. ``lost`` answers are lost after the next writes."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = Lock()
        self.exceptions = client.exceptions
        self.lost = 0

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def one_at_a_time(**request: Any) -> Any:
            with self._lock:
                answer = call(**request)
                if name == "put_item" and self.lost:
                    # botocore tries again, and the condition refuses it.
                    self.lost -= 1
                    return call(**request)
                return answer

        return one_at_a_time
