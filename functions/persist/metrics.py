"""The metrics of the persist stage."""

from __future__ import annotations

from common.metrics import COUNT, MILLISECONDS, StageMetric


class Metric(StageMetric):
    """Name in CloudWatch, unit, meaning."""

    RECORDS_RECEIVED = "RecordsReceived", COUNT, "Stream records in the batch."
    RECORDS_FAILED = "RecordsFailed", COUNT, "Records that will be delivered again."
    TRANSACTIONS_FLAGGED = "TransactionsFlagged", COUNT, "Rows inserted into flagged_transactions."
    TRANSACTIONS_REDELIVERED = (
        "TransactionsRedelivered",
        COUNT,
        "Payments whose row was already stored.",
    )
    FLAG_LATENCY_MS = "FlagLatencyMs", MILLISECONDS, "From Kafka's append to the inserted row."
