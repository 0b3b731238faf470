"""Where the canary's payments go in and come out: the landing bucket, the history, its queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError
from msgspec import MsgspecError

from contract.alert import decode_alert
from contract.canary import CANARY_FOLDER
from contract.clock import time_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from aws_lambda_powertools import Logger
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from contract.alert import Alert

MAX_RECEIVES: Final = 20
"""Requests for messages in one run, of ten messages each: more than arrive in hours."""

EXISTS: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
"""S3's answers to a put that must not replace an object: there is one, or another put of it is under way."""


class LandingBucket:
    """The canary's folder in the landing bucket."""

    def __init__(self, client: S3Client, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._folder = f"{prefix}{CANARY_FOLDER}/"

    def put(self, name: str, content: bytes) -> bool:
        """Put a file; False if there is one of this name already."""
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=self._folder + name, Body=content, IfNoneMatch="*"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in EXISTS:
                raise
            return False
        return True


class HistoryTable:
    """``transaction_history``, of which the canary may read its own users' rows."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def has_row(self, user_id: str, after: datetime) -> bool:
        """Whether the user has a row of a payment that was made after this time."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="user_id = :user AND event_key > :after",
            ExpressionAttributeValues={":user": {"S": user_id}, ":after": {"S": time_text(after)}},
            Select="COUNT",
            Limit=1,
        )
        return answer["Count"] > 0


class AlertQueue:
    """The queue that subscribes to the canary's messages, with raw delivery."""

    def __init__(self, client: SQSClient, queue_url: str, log: Logger) -> None:
        self._client = client
        self._queue_url = queue_url
        self._log = log

    def receive(self) -> Iterator[Alert]:
        """Receive and delete everything that has arrived; what is no alert is logged and deleted."""
        for _ in range(MAX_RECEIVES):
            # A wait asks all of the queue's servers; without one, an empty answer may miss a message.
            answer = self._client.receive_message(
                QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            messages = answer.get("Messages", [])
            if not messages:
                return
            for message in messages:
                try:
                    alert = decode_alert(message["Body"])
                except MsgspecError as error:
                    self._log.warning("a message that is no alert", problem=str(error))
                else:
                    yield alert
                self._client.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
