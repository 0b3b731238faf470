"""The alert stage's tables: the contract on moto and on the dicts that other tests use, and DynamoDB's refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from alert.store import AlertTables, Claim
from contract.alert_windows import MAX_WINDOWS
from contract.errors import InvalidRowError
from tests.support.alert_store_contract import AlertStoreContract, DynamoDbTables, decided, payment
from tests.support.payments import NOW
from tests.support.tables import make_table
from tests.unit.alert.tables import DictTables

if TYPE_CHECKING:
    from collections.abc import Callable


TX_1 = payment("tx-1")


class TestOnMoto(AlertStoreContract):
    @pytest.fixture
    def tables(self, aws: Callable[[str], Any]) -> DynamoDbTables:
        client = aws("dynamodb")
        return DynamoDbTables(
            client, make_table(client, "flagged_transactions"), make_table(client, "alert_windows")
        )


class TestOnDicts(AlertStoreContract):
    @pytest.fixture
    def tables(self) -> DictTables:
        return DictTables()


class Cancelling:
    """A client whose transactions are cancelled for the reasons given."""

    class exceptions:  # noqa: N801
        class TransactionCanceledException(ClientError):  # noqa: N818
            pass

    def __init__(self, *reasons: str) -> None:
        self._reasons = reasons

    def transact_write_items(self, TransactItems: Any) -> None:  # noqa: N803
        raise self.exceptions.TransactionCanceledException(
            {
                "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
                "CancellationReasons": [{"Code": reason} for reason in self._reasons],
            },
            "TransactWriteItems",
        )


@pytest.mark.parametrize(
    ("windows_reason", "row_reason", "outcome"),
    [
        ("ConditionalCheckFailed", "None", Claim.WINDOWS_CHANGED),
        ("TransactionConflict", "None", Claim.WINDOWS_CHANGED),
        ("None", "TransactionConflict", Claim.WINDOWS_CHANGED),
        ("ThrottlingError", "None", Claim.WINDOWS_CHANGED),
        ("None", "ProvisionedThroughputExceeded", Claim.WINDOWS_CHANGED),
        ("None", "ConditionalCheckFailed", Claim.ROW_TAKEN),
        ("ConditionalCheckFailed", "ConditionalCheckFailed", Claim.ROW_TAKEN),
        ("TransactionConflict", "ConditionalCheckFailed", Claim.ROW_TAKEN),
    ],
)
def test_reason_of_a_cancelled_claim_says_what_was_written_first(
    windows_reason: str, row_reason: str, outcome: Claim
) -> None:
    client: Any = Cancelling(windows_reason, row_reason)

    assert AlertTables(client, "f", "w").claim(TX_1.key, decided(DictTables(), TX_1), NOW) is outcome


@pytest.mark.parametrize(
    "reasons", [("ValidationError", "None"), ("None", "ItemCollectionSizeLimitExceeded")]
)
def test_claim_that_can_never_be_written_is_an_error(reasons: tuple[str, str]) -> None:
    client: Any = Cancelling(*reasons)

    with pytest.raises(ClientError):
        AlertTables(client, "f", "w").claim(TX_1.key, decided(DictTables(), TX_1), NOW)


def test_windows_that_cannot_be_read_are_named(aws: Callable[[str], Any]) -> None:
    client = aws("dynamodb")
    make_table(client, "alert_windows")
    client.put_item(TableName="alert_windows", Item={"user_id": {"S": "user-1"}, "version": {"S": "one"}})

    with pytest.raises(InvalidRowError) as refusal:
        AlertTables(client, "flagged_transactions", "alert_windows").windows_of("user-1")

    assert (refusal.value.table, refusal.value.attribute) == ("alert_windows", "version")


def test_windows_expire_long_after_the_last_payment_by_the_clock(aws: Callable[[str], Any]) -> None:
    client = aws("dynamodb")
    tables = DynamoDbTables(
        client, make_table(client, "flagged_transactions"), make_table(client, "alert_windows")
    )
    old = payment("tx-1", minutes=-5_000_000)
    tables.insert(old)

    tables.store.claim(old.key, decided(tables, old), NOW)

    (row,) = client.scan(TableName="alert_windows")["Items"]
    assert int(row["expires_at"]["N"]) == round(NOW.timestamp()) + 30 * 86_400


class Refusing:
    """A client whose updates are refused by one error."""

    class exceptions:  # noqa: N801
        class ConditionalCheckFailedException(ClientError):  # noqa: N818
            pass

    def __init__(self, code: str, status: int) -> None:
        self._answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}

    def update_item(self, **_: object) -> None:
        raise ClientError(self._answer, "UpdateItem")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ProvisionedThroughputExceededException", 400),
        ("InternalServerError", 500),
        ("TransactionConflictException", 400),
    ],
)
def test_mark_that_may_succeed_later_is_false(code: str, status: int) -> None:
    client: Any = Refusing(code, status)

    assert AlertTables(client, "flagged", "windows").mark_sent(TX_1.key, NOW) is False


def test_mark_that_is_not_allowed_is_an_error() -> None:
    client: Any = Refusing("AccessDeniedException", 400)

    with pytest.raises(ClientError, match="AccessDenied"):
        AlertTables(client, "flagged", "windows").mark_sent(TX_1.key, NOW)


@pytest.mark.parametrize(("windows", "readable"), [(MAX_WINDOWS, True), (MAX_WINDOWS + 1, False)])
def test_row_with_more_windows_than_are_ever_written_is_refused(
    aws: Callable[[str], Any], windows: int, readable: bool
) -> None:
    client = aws("dynamodb")
    tables = DynamoDbTables(
        client, make_table(client, "flagged_transactions"), make_table(client, "alert_windows")
    )
    for number in range(MAX_WINDOWS):
        flagged = payment(f"tx-{number}", 60 * number, appended_at_ms=3_600_000 * number)
        tables.insert(flagged)
        tables.store.claim(flagged.key, decided(tables, flagged), NOW)
    (row,) = client.scan(TableName="alert_windows")["Items"]
    row["windows"]["L"] = (row["windows"]["L"] * 2)[:windows]
    client.put_item(TableName="alert_windows", Item=row)

    if readable:
        assert len(tables.store.windows_of("user-1").windows) == windows
    else:
        with pytest.raises(InvalidRowError, match=r"alert_windows\.windows"):
            tables.store.windows_of("user-1")


def test_claim_is_written_over_exactly_the_version_that_it_was_made_from() -> None:
    requests: list[Any] = []

    class Accepting(Cancelling):
        def transact_write_items(self, TransactItems: Any) -> None:  # noqa: N803
            requests.append(TransactItems)

    client: Any = Accepting()
    tables = DictTables()
    for number in range(3):
        flagged = payment(f"tx-{number}", number)
        decision = decided(tables, flagged)
        AlertTables(client, "f", "w").claim(flagged.key, decision, NOW)
        tables.windows["user-1"] = decision.windows

    puts = [request[0]["Put"] for request in requests]
    assert [put["ConditionExpression"] for put in puts] == [
        "attribute_not_exists(user_id)",
        "version = :seen",
        "version = :seen",
    ]
    assert [put.get("ExpressionAttributeValues") for put in puts] == [
        None,
        {":seen": {"N": "1"}},
        {":seen": {"N": "2"}},
    ]
