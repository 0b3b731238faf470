"""The metrics of the drift stage."""

from __future__ import annotations

from aws_lambda_powertools.metrics import MetricUnit

from common.metrics import COUNT, StageMetric

_RATIO = MetricUnit.NoUnit


class Metric(StageMetric):
    """Name in CloudWatch, unit, meaning."""

    PAYMENTS_COUNTED = (
        "PaymentsCounted",
        COUNT,
        "Payments of the last day that were counted by the model's bins.",
    )
    SCORE_DRIFT = (
        "ModelScoreDrift",
        _RATIO,
        "Population stability index of the model's probability against the training window.",
    )
    INPUT_DRIFT = "ModelInputDrift", _RATIO, "The largest population stability index of the model's inputs."
    INVALID_FIELD_PERCENT = (
        "InvalidFieldPercent",
        MetricUnit.Percent,
        "Of the field that could most often not be used: in which share of payments.",
    )
    LABELS_UNREADABLE = (
        "LabelsUnreadable",
        COUNT,
        "Labels that could not be read and were left out; the log names their keys.",
    )
    LABEL_DELAY_DAYS = (
        "LabelDelayDays",
        _RATIO,
        "Half of the labels became known so many days after their payment, or sooner.",
    )
    NEWEST_LABEL_HOURS = (
        "NewestLabelHours",
        _RATIO,
        "Hours since the newest label became known: how fresh the risk of entities is.",
    )
    CALIBRATION = (
        "ModelCalibration",
        _RATIO,
        "Frauds that became known for each that the model expected, of payments of 30 to 60 days ago.",
    )
    PRECISION_PERCENT = (
        "FlaggedPrecisionPercent",
        MetricUnit.Percent,
        "Share of fraud among flagged payments whose label became known in the last 30 days.",
    )
