"""The metrics of the canary."""

from __future__ import annotations

from common.metrics import COUNT, MILLISECONDS, StageMetric


class Metric(StageMetric):
    """Name in CloudWatch, unit, meaning."""

    CANARIES_SENT = "CanariesSent", COUNT, "Payments that the canary put into the landing bucket."
    CANARY_ROWS_MISSING = (
        "CanaryRowsMissing",
        COUNT,
        "1 if no payment of the run before has a row in the history, else 0.",
    )
    CANARY_ALERTS_MISSING = (
        "CanaryAlertsMissing",
        COUNT,
        "1 if no alert on a payment of the run before has arrived, else 0.",
    )
    CANARY_LATENCY_MS = (
        "CanaryLatencyMs",
        MILLISECONDS,
        "From the file in the landing bucket to SNS's answer, of each alert that arrived.",
    )
