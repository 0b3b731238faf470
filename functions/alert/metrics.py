"""The metrics of the alert stage."""

from __future__ import annotations

from common.metrics import COUNT, MILLISECONDS, StageMetric


class Metric(StageMetric):
    """Name in CloudWatch, unit, meaning."""

    RECORDS_RECEIVED = "RecordsReceived", COUNT, "Stream records in the batch."
    RECORDS_FAILED = "RecordsFailed", COUNT, "Records that will be delivered again."
    ALERTS_SENT = "AlertsSent", COUNT, "Messages that SNS accepted, repeats included."
    ALERTS_REPEATED = (
        "AlertsRepeated",
        COUNT,
        "Messages sent for an alert that an earlier delivery claimed; some may have been sent before.",
    )
    ALERTS_AGAIN = (
        "AlertsAgain",
        COUNT,
        "Alerts of a window that has had one: it became graver. Repeats not included.",
    )
    ALERTS_SUPPRESSED = (
        "AlertsSuppressed",
        COUNT,
        "Payments counted for a later message instead of alerted on.",
    )
    ALERTS_OVER_LIMIT = (
        "AlertsOverLimit",
        COUNT,
        "Of AlertsSuppressed: payments that would have been alerted on, had their user not had enough alerts in the hour.",
    )
    ALERT_CLAIM_CONFLICTS = (
        "AlertClaimConflicts",
        COUNT,
        "Claims that lost a user's windows to another worker and were tried again.",
    )
    ALERT_LATENCY_MS = "AlertLatencyMs", MILLISECONDS, "From Kafka's append to SNS's answer."
    PUBLISH_FAILURES = "PublishFailures", COUNT, "Messages that SNS did not accept, after retries."
    FLAGGED_ROWS_MISSING = (
        "FlaggedRowsMissing",
        COUNT,
        "Payments whose row was deleted before the alert stage read it: withdrawn by an analyst, or expired.",
    )
