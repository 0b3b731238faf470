"""The metrics of the deployer."""

from __future__ import annotations

from aws_lambda_powertools.metrics import MetricUnit

from common.metrics import COUNT, StageMetric


class Metric(StageMetric):
    """Name in CloudWatch, unit, meaning."""

    CHANGES_DEPLOYED = "RulesetChangesDeployed", COUNT, "Approved changes of the ruleset that were deployed."
    CHANGES_FAILED = (
        "RulesetChangesFailed",
        COUNT,
        "Approved changes of the ruleset that were refused, or whose deployment was undone.",
    )
    OLDEST_SECONDS = (
        "OldestRulesetChangeSeconds",
        MetricUnit.Seconds,
        "How long ago the oldest change was approved that is not deployed yet; 0 without one. Every run emits it.",
    )
