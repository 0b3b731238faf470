"""Every metric that the alert stage gives, once; dashboards and alarms are held against this."""

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
    ALERTS_SENT = "AlertsSent"
    """Messages that the topic took, repeats included."""
    ALERTS_REPEATED = "AlertsRepeated"
    """Messages sent for a claim that an earlier delivery left behind; some may have been sent before."""
    ALERTS_SUPPRESSED = "AlertsSuppressed"
    """Payments counted in an open window instead of alerted on."""
    ALERT_CLAIM_CONFLICTS = "AlertClaimConflicts"
    """Attempts that lost a user's window to another worker and were made again."""
    ALERT_LATENCY_MS = "AlertLatencyMs"
    """From Kafka's append to SNS's answer."""
    PUBLISH_FAILURES = "PublishFailures"
    """Messages that SNS did not take, after retries."""
    FLAGGED_ROWS_MISSING = "FlaggedRowsMissing"
    """Payments whose row was deleted before they were looked at: withdrawn by an analyst, or expired."""


UNITS: Final = dict.fromkeys(Metric, MetricUnit.Count) | {Metric.ALERT_LATENCY_MS: MetricUnit.Milliseconds}


class MetricSink(Protocol):
    """Where metrics go; Powertools' Metrics."""

    def add_metric(self, name: str, unit: MetricUnit, value: float) -> None:
        """Add one value."""
        ...
