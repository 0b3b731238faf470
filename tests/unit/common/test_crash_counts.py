"""Crashes are counted in the table; an outage of the table fails nothing and counts nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from common.crash_counts import CrashTable, is_of_the_record
from common.errors import OutOfTimeError
from contract.errors import InvalidRowError
from tests.support.moto_aws import aws
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Flaky:
    """A client that answers, or does not."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.is_down = False

    def __getattr__(self, name: str) -> Any:
        if self.is_down:
            return self._refuse
        return getattr(self._client, name)

    def _refuse(self, **_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


class Late(Flaky):
    """A client of a table that executes each request, and answers too late; botocore sends it again."""

    def update_item(self, **request: Any) -> Any:
        if not self.is_down:
            return self._client.update_item(**request)
        for _ in range(2):
            self._client.update_item(**request)
        raise ReadTimeoutError(endpoint_url="http://127.0.0.1:1")


@pytest.fixture
def client(aws: Callable[[str], Any]) -> Flaky:
    made = Flaky(aws("dynamodb"))
    make_table(aws("dynamodb"), "record_crashes")
    return made


def table(client: Any, stage: str = "score") -> CrashTable:
    return CrashTable(lambda: client, "record_crashes", stage, lambda: NOW)


def test_tries_that_did_not_end_are_counted_across_processes(client: Flaky) -> None:
    counted = [table(client).begin("t/0/7") for _ in range(3)]

    assert counted == [1, 2, 3]


def test_a_try_that_ended_does_not_count(client: Flaky) -> None:
    counts = table(client)
    for _ in range(3):
        counts.begin("t/0/7")
        counts.end("t/0/7")

    assert counts.begin("t/0/7") == 1


def test_stages_and_records_are_counted_apart(client: Flaky) -> None:
    table(client).begin("t/0/7")

    assert table(client, "persist").begin("t/0/7") == 1
    assert table(client).begin("t/0/8") == 1


def test_a_record_that_is_done_is_forgotten(client: Flaky) -> None:
    counts = table(client)
    counts.begin("t/0/7")

    counts.forget("t/0/7")

    assert client.scan(TableName="record_crashes")["Items"] == []


def test_a_count_expires_after_the_longest_retry(client: Flaky) -> None:
    table(client).begin("t/0/7")

    (item,) = client.scan(TableName="record_crashes")["Items"]

    assert item["record_key"] == {"S": "score#t/0/7"}
    assert int(item["expires_at"]["N"]) - NOW.timestamp() > 7 * 24 * 3600


def test_a_table_that_is_down_counts_nothing(client: Flaky) -> None:
    client.is_down = True

    assert table(client).begin("t/0/7") == 0


def test_a_try_that_ended_while_the_table_was_down_is_taken_back_later(client: Flaky) -> None:
    counts = table(client)
    counts.begin("t/0/7")
    client.is_down = True
    counts.end("t/0/7")
    assert counts.begin("t/0/7") == 0
    client.is_down = False

    assert counts.begin("t/0/7") == 1


def test_tries_that_outages_ended_do_not_make_later_crashes_uncounted(client: Flaky) -> None:
    counts = table(client)
    client.is_down = True
    for _ in range(20):
        counts.begin("t/0/7")
        counts.end("t/0/7")
    client.is_down = False

    assert [counts.begin("t/0/7") for _ in range(3)] == [1, 2, 3]


def test_a_try_is_counted_once_however_often_its_request_is_executed(client: Flaky) -> None:
    late = Late(client._client)
    late.is_down = True
    for _ in range(3):
        table(late).begin("t/0/7")  # and the process crashes
    late.is_down = False

    assert table(late).begin("t/0/7") == 4


def test_a_try_is_taken_back_once_however_often_its_request_is_executed(client: Flaky) -> None:
    late = Late(client._client)
    table(late).begin("t/0/7")  # crashes
    counts = table(late)
    counts.begin("t/0/7")
    late.is_down = True
    for _ in range(5):
        counts.end("t/0/7")
        counts.begin("t/0/7")
    late.is_down = False
    counts.end("t/0/7")

    assert table(late).begin("t/0/7") == 2


@pytest.mark.parametrize(
    ("error", "is_its_own"),
    [
        (InvalidRowError("rows", "key", "wrong"), True),
        (TypeError(), True),
        (ClientError({"Error": {"Code": "ValidationException"}}, "PutItem"), True),
        (ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem"), False),
        (ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutItem"), False),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), False),
        (OutOfTimeError(1), False),
    ],
)
def test_an_outage_is_not_the_record_s_own_error(error: Exception, is_its_own: bool) -> None:
    assert is_of_the_record(error) is is_its_own


@pytest.mark.parametrize(
    ("reasons", "is_own"),
    [
        (["ValidationError", "None"], True),
        (["ConditionalCheckFailed", "ValidationError"], True),
        (["ItemCollectionSizeLimitExceeded"], True),
        (["ConditionalCheckFailed", "TransactionConflict"], False),
        (["ThrottlingError", "None"], False),
    ],
)
def test_a_transaction_of_which_a_write_is_invalid_fails_by_its_record(
    reasons: list[str], is_own: bool
) -> None:
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException"},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }

    assert is_of_the_record(ClientError(answer, "TransactWriteItems")) is is_own
