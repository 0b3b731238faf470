"""The metrics of the case stage."""

from __future__ import annotations

from common.metrics import COUNT, MILLISECONDS, StageMetric


class Metric(StageMetric):
    """Name in CloudWatch, unit, meaning."""

    RECORDS_RECEIVED = "RecordsReceived", COUNT, "Stream records in the batch."
    RECORDS_FAILED = "RecordsFailed", COUNT, "Records that will be delivered again."
    CASES_OPENED = "CasesOpened", COUNT, "Cases opened, also those that labels had decided on before."
    CASES_REOPENED = "CasesReopened", COUNT, "Closed cases that a withdrawn label opened again."
    CASES_CLOSED = "CasesClosed", COUNT, "Cases that labels closed: none of their payments is undecided."
    PAYMENTS_ADDED = "PaymentsAdded", COUNT, "Flagged payments that joined a case."
    JUDGEMENTS_CHANGED = "JudgementsChanged", COUNT, "Payments that their case counts as something else now."
    CASE_CONFLICTS = (
        "CaseConflicts",
        COUNT,
        "Changes that lost a case to another worker or to a person, and were tried again.",
    )
    CASES_RECOUNTED = (
        "CasesRecounted",
        COUNT,
        "Cases that did not say what their payments say, as after a restore.",
    )
    CASE_LATENCY_MS = "CaseLatencyMs", MILLISECONDS, "From Kafka's append of a payment to its case."
    FLAGGED_ROWS_MISSING = (
        "FlaggedRowsMissing",
        COUNT,
        "Payments whose row was deleted before the case stage read it: withdrawn by an analyst, or expired.",
    )
