"""Every metric that the persist stage gives, once; dashboards and alarms are held against this."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Protocol

from aws_lambda_powertools.metrics import MetricUnit


class Metric(StrEnum):
    """Names in CloudWatch."""

    RECORDS_RECEIVED = "RecordsReceived"
    """Stream records in the batch."""
    RECORDS_FAILED = "RecordsFailed"
    """Records that will be delivered again."""
    TRANSACTIONS_FLAGGED = "TransactionsFlagged"
    """Rows inserted into flagged_transactions."""
    TRANSACTIONS_REDELIVERED = "TransactionsRedelivered"
    """Payments whose row stood already."""
    TRANSACTION_ID_CONFLICT = "TransactionIdConflict"
    """Rows inserted under a key of their own, because another payment has their transaction id."""
    FLAG_LATENCY_MS = "FlagLatencyMs"
    """From Kafka's append to the inserted row."""


UNITS: Final = dict.fromkeys(Metric, MetricUnit.Count) | {Metric.FLAG_LATENCY_MS: MetricUnit.Milliseconds}


class MetricSink(Protocol):
    """Where metrics go; Powertools' Metrics."""

    def add_metric(self, name: str, unit: MetricUnit, value: float) -> None:
        """Add one value."""
        ...
