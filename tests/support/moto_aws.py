"""AWS in this process: moto answers boto3, and no socket is opened."""

from __future__ import annotations

from functools import cache
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
