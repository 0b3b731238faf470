"""The metrics of the upkeep of labels."""

from __future__ import annotations

from common.metrics import COUNT, StageMetric


class Metric(StageMetric):
    """Name in CloudWatch, unit, meaning."""

    LABELS_SENT_AGAIN = "LabelsSentAgain", COUNT, "Unfinished labels that were sent to their queue again."
    LABELS_EXPIRED = (
        "LabelsExpired",
        COUNT,
        "Labels that were unfinished for too long, and were quarantined.",
    )
    UPKEEP_FAILURES = (
        "UpkeepFailures",
        COUNT,
        "Unfinished labels, and parts of the work on copies, that the next run must do.",
    )
    COPIES_CHECKED = "CopiesChecked", COUNT, "Entities and users whose copy in the cache was compared."
    COPIES_REPAIRED = "CopiesRepaired", COUNT, "Of these: copies that were missing or old, and were set."
    ROWS_UNREADABLE = (
        "LabelRowsUnreadable",
        COUNT,
        "Entities and users whose copy stays as it is, because a row of theirs cannot be read; the log names the attribute. Each look counts them again.",
    )
    COPIES_INCOMPLETE = (
        "CopiesIncomplete",
        COUNT,
        "1 while the cache may lack copies of labels, 0 once all are there.",
    )
