"""alert_windows and the alert's marks on flagged_transactions, in DynamoDB: a claim is one transaction over both."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from common.alert_windows import read_windows, windows_put
from common.dynamodb import is_transient
from contract.alert import AlertState
from contract.flagged import FlaggedTransaction, from_flagged_item, to_flagged_key
from contract.items import to_attribute, to_item

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import UpdateTypeDef

    from alert.windows import WindowDecision
    from contract.alert_windows import UserWindows
    from contract.flagged import FlaggedKey

_WINDOW_TAKEN = frozenset(
    {"ConditionalCheckFailed", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
)


class Claim(Enum):
    """The result of writing a decision."""

    WRITTEN = auto()
    ROW_TAKEN = auto()
    """The flagged row has a decision already, or was deleted."""
    WINDOWS_CHANGED = auto()
    """Another worker has written the user's windows, or is writing them."""


class AlertTables:
    """Both tables, by the calls that this stage makes.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    flagged_table, windows_table : str
        The tables' names in this environment.
    """

    def __init__(self, client: DynamoDBClient, flagged_table: str, windows_table: str) -> None:
        self._client = client
        self._flagged_table = flagged_table
        self._windows_table = windows_table

    def windows_of(self, user_id: str) -> UserWindows:
        """Read a user's windows, consistently; empty ones of version 0 where there is no row."""
        return read_windows(self._client, self._windows_table, user_id)

    def flagged(self, key: FlaggedKey) -> FlaggedTransaction | None:
        """Read a flagged row, consistently; None where it was deleted."""
        answer = self._client.get_item(
            TableName=self._flagged_table, Key=to_flagged_key(key), ConsistentRead=True
        )
        item = answer.get("Item")
        return None if item is None else from_flagged_item(item)

    def claim(self, key: FlaggedKey, decision: WindowDecision, now: datetime) -> Claim:
        """Write the decision on a payment and its user's windows, both or neither.

        Parameters
        ----------
        key : FlaggedKey
            The flagged row's.
        decision : WindowDecision
            Made from windows of version ``decision.windows.version - 1``.
        now : datetime
            The clock, aware; for the windows' expiry.

        Returns
        -------
        Claim
            Whether it was written, and if not, what another worker wrote first.

        Raises
        ------
        ClientError, BotoCoreError
            When DynamoDB did not answer, after retries, or refuses the request itself.
        """
        # Two workers W1 and W2 with payments P1 and P2 of one user, no window open:
        #
        #   time   W1                                  W2
        #    |     windows v0                          windows v0
        #    |     decide P1: claim                    decide P2: claim
        #    |     write v1, P1 claimed
        #    |                                         write v1 if none: refused -> WINDOWS_CHANGED
        #    |                                         windows v1, decide P2 again: suppressed
        #    v                                         write v2 if v1, P2 suppressed
        #
        # One record is delivered to W1, which crashes at x, and again to W2. Without the row's condition P1 would be
        # counted in its own window:
        #
        #    |     write v1, P1 claimed
        #    |     publish (or not) x
        #    |                                         windows v1, decide P1: suppressed
        #    |                                         write v2 if v1 and P1 unmarked: refused -> ROW_TAKEN
        #    v                                         P1 is claimed: publish its alert, mark it sent
        #
        # We set no ClientRequestToken: botocore gives each call a fresh one and repeats it in its retries. So if an answer
        # is lost, the transaction's own conditions do not refuse the retry. With a token made from the payment,
        # DynamoDB would answer a redelivery within ten minutes with "written", and an alert that was sent would be sent again.
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {"Put": windows_put(self._windows_table, decision.windows, now)},
                    {"Update": self._decision_update(key, decision)},
                ]
            )
        except self._client.exceptions.TransactionCanceledException as error:
            response: Mapping[str, Any] = error.response
            windows_reason, row_reason = (reason["Code"] for reason in response["CancellationReasons"])
            # The row first: where both conditions fail, this very payment may have changed the windows.
            if row_reason == "ConditionalCheckFailed":
                return Claim.ROW_TAKEN
            if {windows_reason, row_reason} & _WINDOW_TAKEN:
                return Claim.WINDOWS_CHANGED
            raise
        return Claim.WRITTEN

    def mark_sent(self, key: FlaggedKey, alerted_at: datetime) -> bool:
        """Mark a claimed row's alert as published; a row that is no longer claimed stays as it is.

        Returns
        -------
        bool
            False where DynamoDB throttles or fails, after the client's own tries.

        Raises
        ------
        ClientError, BotoCoreError
            When DynamoDB did not answer, or refuses the request itself.
        """
        try:
            self._client.update_item(
                TableName=self._flagged_table,
                Key=to_flagged_key(key),
                UpdateExpression="SET alert_state = :sent, alerted_at = :at",
                ConditionExpression="alert_state = :claimed",
                ExpressionAttributeValues={
                    ":sent": to_attribute(AlertState.SENT.value),
                    ":claimed": to_attribute(AlertState.CLAIMED.value),
                    ":at": to_attribute(alerted_at),
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            # Another delivery marked it, or an analyst deleted the row: an update must not bring it back.
            return True
        except ClientError as error:
            if not is_transient(error):
                raise
            return False
        return True

    def _decision_update(self, key: FlaggedKey, decision: WindowDecision) -> UpdateTypeDef:
        marks = {
            "alert_state": decision.state.value,
            "alert_id": decision.alert_id,
            "suppression_id": decision.suppression_id,
        }
        values = {f":{name}": to_attribute(value) for name, value in marks.items() if value is not None}
        if decision.claim is not None:
            values[":alert_claim"] = {"M": to_item(decision.claim)}
        return {
            "TableName": self._flagged_table,
            "Key": to_flagged_key(key),
            "UpdateExpression": "SET " + ", ".join(f"{value[1:]} = {value}" for value in values),
            "ConditionExpression": "attribute_exists(user_id) AND attribute_not_exists(alert_state)",
            "ExpressionAttributeValues": values,
        }
