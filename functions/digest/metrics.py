"""The metrics of the digest stage."""

from __future__ import annotations

from common.metrics import COUNT, MILLISECONDS, StageMetric


class Metric(StageMetric):
    """Name in CloudWatch, unit, meaning."""

    DIGESTS_SENT = "DigestsSent", COUNT, "Messages that SNS accepted, repeats included."
    DIGESTS_REPEATED = (
        "DigestsRepeated",
        COUNT,
        "Messages of a digest that an earlier run claimed; some may have been sent before.",
    )
    PAYMENTS_DIGESTED = (
        "PaymentsDigested",
        COUNT,
        "Payments in the digests that were sent for the first time.",
    )
    DIGESTS_FAILED = (
        "DigestsFailed",
        COUNT,
        "Digests that the next run must send: SNS or DynamoDB refused, or the alert stage kept changing the row.",
    )
    DIGESTS_LEFT = "DigestsLeft", COUNT, "Digests that were due and not begun, because the run ended."
    OLDEST_DUE_DIGEST_MS = (
        "OldestDueDigestMs",
        MILLISECONDS,
        "How long the longest-waiting digest was due when the run began; 0 where none was. Every run emits it.",
    )
