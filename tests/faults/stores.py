"""What the stack under test has stored and sent, read past the proxies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from contract.alert import Alert, AlertDigest, decode_message
from contract.alert_windows import WINDOWS_TABLE, UserWindows, from_windows_item
from contract.case import CASE_LINKS_TABLE, CASES_TABLE, Case, from_case_item
from contract.flagged import FLAGGED_TABLE, FlaggedTransaction, from_flagged_item
from contract.items import from_item
from contract.label import LABELS_TABLE, Label
from contract.label_rows import ENTITY_RISK_TABLE, PENDING_LABELS_TABLE
from contract.scored import HISTORY_TABLE, Position, ScoredTransaction, from_history_item
from local.resources import ALERT_INBOX, Resources
from score.telemetry import RACED_MESSAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


class Stores:
    """The tables and queues of a stack.

    Parameters
    ----------
    client : Callable[[str], Any]
        Gives a service's client of the AWS API itself.
    resources : Resources
        What was provisioned.
    """

    def __init__(self, client: Callable[[str], Any], resources: Resources) -> None:
        self._client = client
        self._resources = resources
        self.delivered: dict[str, list[Alert | AlertDigest]] = {}
        """By id, each message as often as it was delivered."""
        self.quarantined: dict[Position, int] = {}
        """How often each record was quarantined."""
        self.quarantined_labels: set[str] = set()
        """Ids of the messages that are no labels."""

    def history(self, users: Sequence[str]) -> list[ScoredTransaction]:
        """All rows of these users."""
        return [from_history_item(item) for item in self._of_users(HISTORY_TABLE, users)]

    def flagged(self, users: Sequence[str]) -> list[FlaggedTransaction]:
        """All flagged rows of these users."""
        return [from_flagged_item(item) for item in self._of_users(FLAGGED_TABLE, users)]

    def windows(self, users: Sequence[str]) -> list[UserWindows]:
        """The alert windows of these users that have any."""
        dynamodb, table = self._client("dynamodb"), self._resources.tables[WINDOWS_TABLE]
        items = (
            dynamodb.get_item(TableName=table, Key={"user_id": {"S": user}}, ConsistentRead=True).get("Item")
            for user in users
        )
        return [from_windows_item(item) for item in items if item is not None]

    def cases(self, users: Sequence[str]) -> list[Case]:
        """All cases of these users."""
        pages = self._client("dynamodb").get_paginator("scan")
        wanted = set(users)
        return [
            from_case_item(item)
            for page in pages.paginate(TableName=self._resources.tables[CASES_TABLE], ConsistentRead=True)
            for item in page["Items"]
            if item["user_id"]["S"] in wanted
        ]

    def case_links(self) -> set[tuple[str, str]]:
        """All links: entity or alert, and case."""
        pages = self._client("dynamodb").get_paginator("scan")
        return {
            (item["entity_id"]["S"], item["case_id"]["S"])
            for page in pages.paginate(
                TableName=self._resources.tables[CASE_LINKS_TABLE], ConsistentRead=True
            )
            for item in page["Items"]
        }

    def labels(self, users: Sequence[str]) -> list[Label]:
        """All labels of these users."""
        return [from_item(LABELS_TABLE, item, Label) for item in self._of_users(LABELS_TABLE, users)]

    def _of_users(self, table: str, users: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Rows of a table whose partitions are users. The table has those of all earlier faults too."""
        pages = self._client("dynamodb").get_paginator("query")
        for user in users:
            for page in pages.paginate(
                TableName=self._resources.tables[table],
                KeyConditionExpression="user_id = :user",
                ExpressionAttributeValues={":user": {"S": user}},
                ConsistentRead=True,
            ):
                yield from page["Items"]

    def risk_rows(self, entity_id: str) -> list[dict[str, Any]]:
        """An entity's labelled payments, in DynamoDB's wire form."""
        answer = self._client("dynamodb").query(
            TableName=self._resources.tables[ENTITY_RISK_TABLE],
            KeyConditionExpression="entity_id = :id",
            ExpressionAttributeValues={":id": {"S": entity_id}},
            ConsistentRead=True,
        )
        items: list[dict[str, Any]] = answer["Items"]
        return items

    def waiting_labels(self) -> int:
        """How many labels are not finished."""
        table = self._resources.tables[PENDING_LABELS_TABLE]
        return len(self._client("dynamodb").scan(TableName=table, ConsistentRead=True)["Items"])

    def collect(self) -> None:
        """Receive and keep all messages of the alerts' and the quarantine's queues."""
        queues = self._resources.queues
        for body in self._drain(queues[ALERT_INBOX]):
            alert = decode_message(body["Message"])
            self.delivered.setdefault(alert.alert_id, []).append(alert)
        for body in self._drain(queues["quarantine"]):
            if "message_id" in body:
                self.quarantined_labels.add(body["message_id"])
                continue
            position = Position(body["topic"], body["partition"], body["offset"])
            self.quarantined[position] = self.quarantined.get(position, 0) + 1

    def take_dead_letters(self, function: str) -> list[dict[str, Any]]:
        """Empty the dead-letter queue of a function; return its messages."""
        return list(self._drain(self._resources.dead_letter_queue(function)))

    def dead_letters(self, functions: Sequence[str]) -> int:
        """Empty the dead-letter queues of these functions; return how many messages there were."""
        return sum(len(self.take_dead_letters(function)) for function in functions)

    def _drain(self, url: str) -> Iterator[dict[str, Any]]:
        sqs = self._client("sqs")
        while messages := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600
        ).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                yield msgspec.json.decode(message["Body"])


def raced(logs: Path) -> set[Position]:
    """Rows that the score stage has logged as decided behind one that was stored otherwise meanwhile."""
    found: set[Position] = set()
    for log in logs.rglob("*.log"):
        for line in log.read_text(errors="replace").splitlines():
            if RACED_MESSAGE in line:
                found.update(map(Position.parse, msgspec.json.decode(line[line.index("{") :])["positions"]))
    return found
