"""The metrics of the reconciler."""

from __future__ import annotations

from aws_lambda_powertools.metrics import MetricUnit

from common.metrics import COUNT, StageMetric


class Metric(StageMetric):
    """Name in CloudWatch, unit, meaning."""

    PAYMENTS_CHECKED = "PaymentsChecked", COUNT, "Payments that are to be flagged, and were looked at."
    FLAGGED_ROWS_REPAIRED = (
        "FlaggedRowsRepaired",
        COUNT,
        "Payments without a flagged row that were sent to persist again.",
    )
    ALERTS_REPAIRED = (
        "AlertsRepaired",
        COUNT,
        "Flagged payments without an alert that were sent to alert again.",
    )
    CASES_REPAIRED = (
        "CasesRepaired",
        COUNT,
        "Flagged payments without a case, or that their case counts as something else, that were sent to case again.",
    )
    REPAIRS_FAILED = "RepairsFailed", COUNT, "Payments that the stage did not process this time either."
    SECOND_LOOKS_DUE = "SecondLooksDue", COUNT, "Cases that wait for a second person. Every run emits it."
    OLDEST_LOOK_SECONDS = (
        "OldestSecondLookSeconds",
        MetricUnit.Seconds,
        "How long the one has waited that has waited longest; 0 without one. Every run emits it.",
    )
    HOURS_UNCHECKED = "HoursUnchecked", COUNT, "Parts of an hour that the run had no time for."
