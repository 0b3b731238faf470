"""Which of DynamoDB's errors are worth another try, and how long a stage's client tries."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from common.dynamodb import CLIENT_CONFIG, is_transient


def error(code: str | None, status: int | None) -> ClientError:
    response: Any = {} if code is None else {"Error": {"Code": code}}
    if status is not None:
        response["ResponseMetadata"] = {"HTTPStatusCode": status}
    return ClientError(response, "PutItem")


@pytest.mark.parametrize(
    "code",
    [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "TransactionConflictException",
    ],
)
def test_throttling_and_conflicts_are_transient_although_their_status_is_400(code: str) -> None:
    assert is_transient(error(code, 400))


@pytest.mark.parametrize(("status", "transient"), [(499, False), (500, True), (503, True), (None, False)])
def test_other_errors_are_transient_from_status_500_on(status: int | None, transient: bool) -> None:
    assert is_transient(error("Anything", status)) is transient


def test_answer_without_code_and_status_is_not_transient() -> None:
    assert not is_transient(error(None, None))


def test_client_tries_four_times_within_seconds() -> None:
    config: Any = CLIENT_CONFIG

    assert config.retries == {"mode": "standard", "total_max_attempts": 4}
    assert (config.connect_timeout, config.read_timeout, config.tcp_keepalive) == (1, 3, True)
