"""The metrics of the keeper of audit heads."""

from __future__ import annotations

from aws_lambda_powertools.metrics import MetricUnit

from common.metrics import COUNT, StageMetric


class Metric(StageMetric):
    """Name in CloudWatch, unit, meaning."""

    HEADS_KEPT = "AuditHeadsKept", COUNT, "Objects that were written: 1 an hour."
    HEADS_GONE = (
        "AuditHeadsGone",
        COUNT,
        "Heads of the object before that are not in their chains any more: events were changed or dropped.",
    )
    OBJECTS_UNREADABLE = (
        "AuditObjectsUnreadable",
        COUNT,
        "Objects among those of the last days that hold no heads: somebody else writes to the bucket.",
    )
    HOURS_SINCE = (
        "AuditHeadsAgeHours",
        MetricUnit.NoUnit,
        "Hours from the object before to this one: more than 1 where runs failed, or objects were dropped.",
    )
