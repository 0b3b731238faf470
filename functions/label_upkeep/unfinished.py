"""Sends unfinished labels to their queue again, and quarantines those that have waited for too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from common.failures import describe_failure
from common.metrics import emit
from contract.errors import ContractError
from contract.label_rows import PENDING_ATTRIBUTE, Unfinished, next_due
from label_upkeep.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta

    from mypy_boto3_sqs import SQSClient

    from common.failures import FailureLog
    from common.label_quarantine import LabelQuarantine
    from common.metrics import MetricSink
    from contract.label_rows import PendingLabel

MAX_DUE: Final = 2_000
"""Labels of one run."""


class PendingTable(Protocol):
    """The calls that are made; see :class:`label_upkeep.store.UpkeepTables`."""

    def due(self, now: datetime, limit: int) -> Iterable[str]:
        """Find what is due."""
        ...

    def pending(self, pending_id: str) -> PendingLabel | None:
        """Read an unfinished label."""
        ...

    def postpone(self, pending_id: str, due_at: datetime) -> None:
        """Say when a label is due the next time."""
        ...

    def delete(self, pending_id: str) -> None:
        """Delete a label that is quarantined."""
        ...


class LabelQueue:
    """The labels queue.

    Parameters
    ----------
    sqs : SQSClient
        A low-level client.
    url : str
        The queue's URL in this environment.
    """

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, message: str) -> None:
        """Send a label that has waited; ClientError or BotoCoreError if SQS did not accept it."""
        self._sqs.send_message(
            QueueUrl=self._url,
            MessageBody=message,
            MessageAttributes={PENDING_ATTRIBUTE: {"DataType": "String", "StringValue": "1"}},
        )


class UnfinishedLabels:
    """Labels that wait.

    Parameters
    ----------
    table : PendingTable
        Where they wait.
    send : Callable
        Sends a message to the labels queue.
    quarantine : LabelQuarantine
        Where labels go that have waited for too long.
    longest : timedelta
        How long a label may wait.
    metrics, log
        Powertools' Metrics and Logger.
    """

    def __init__(
        self,
        table: PendingTable,
        send: Callable[[str], None],
        quarantine: LabelQuarantine,
        longest: timedelta,
        metrics: MetricSink,
        log: FailureLog,
    ) -> None:
        self._table = table
        self._send = send
        self._quarantine = quarantine
        self._longest = longest
        self._metrics = metrics
        self._log = log

    def send_due(self, now: datetime, has_time: Callable[[], bool]) -> None:
        """Send every label again that is due; one that fails is left to the next run, and delays no other.

        Raises
        ------
        ClientError, BotoCoreError
            When the index cannot be read.
        """
        for pending_id in self._table.due(now, MAX_DUE):
            if not has_time():
                return
            try:
                self._send_one(pending_id, now)
            except (ContractError, ClientError, BotoCoreError) as error:
                self._log.error(
                    "An unfinished label failed; the next run tries it", extra=describe_failure(error)
                )
                emit(self._metrics, Metric.UPKEEP_FAILURES)

    def _send_one(self, pending_id: str, now: datetime) -> None:
        pending = self._table.pending(pending_id)
        if pending is None or pending.due_at > now:
            return  # the index was behind
        if now - pending.first_at >= self._longest:
            # Quarantined first: after a crash here it is quarantined again, with the same id.
            self._quarantine.put(
                pending_id, pending.message.encode(), _field(pending.reason), self._problem(pending)
            )
            self._table.delete(pending_id)
            emit(self._metrics, Metric.LABELS_EXPIRED)
            return
        # Sent first: after a crash here it is sent again, which changes nothing.
        self._send(pending.message)
        self._table.postpone(pending_id, next_due(pending.first_at, now))
        emit(self._metrics, Metric.LABELS_SENT_AGAIN)

    def _problem(self, pending: PendingLabel) -> str:
        return f"{pending.reason.problem}, for {self._longest.days} days"


def _field(reason: Unfinished) -> str:
    return "transaction_id" if reason is Unfinished.NO_PAYMENT else "$"
