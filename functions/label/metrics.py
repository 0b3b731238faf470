"""The metrics of the label stage."""

from __future__ import annotations

from common.metrics import COUNT, MILLISECONDS, StageMetric


class Metric(StageMetric):
    """Name in CloudWatch, unit, meaning."""

    RECORDS_RECEIVED = "RecordsReceived", COUNT, "Messages in the batch."
    RECORDS_FAILED = "RecordsFailed", COUNT, "Messages that will be delivered again."
    LABELS_STORED = "LabelsStored", COUNT, "Rows inserted into labels."
    LABELS_REPEATED = "LabelsRepeated", COUNT, "Labels that were stored before."
    LABELS_QUARANTINED = "LabelsQuarantined", COUNT, "Messages that are no usable label."
    LABELS_UNFINISHED = (
        "LabelsUnfinished",
        COUNT,
        "Labels that wait: for their payment, for its flagged row, or for the cache.",
    )
    LABEL_CONFLICTS = (
        "LabelConflicts",
        COUNT,
        "Times that another worker added a label of the same payment, and effects were set again.",
    )
    LABEL_LATENCY_MS = (
        "LabelLatencyMs",
        MILLISECONDS,
        "From a message's sending until all of its effects are set.",
    )
