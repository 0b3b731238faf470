"""The metrics of the guardrails."""

from __future__ import annotations

from common.metrics import COUNT, StageMetric


class Metric(StageMetric):
    """Name in CloudWatch, unit, meaning."""

    CANDIDATES_WITHDRAWN = (
        "CandidatesWithdrawn",
        COUNT,
        "Candidates that left their guardrails, and were taken out of the ruleset.",
    )
    RULES_SUSPENDED = (
        "RulesSuspended",
        COUNT,
        "Rules that held for more payments than their largest share, and were suspended.",
    )
    ROLLBACKS_RECORDED = "RulesetRollbacks", COUNT, "Deployments of a ruleset that were rolled back."
    PAYMENTS_COMPARED = (
        "PaymentsCompared",
        COUNT,
        "Payments of the last five minutes that the guardrails were judged by; every run emits it while there is something to judge.",
    )
    HOURS_NOT_KEPT = (
        "RolloutHoursNotKept",
        COUNT,
        "Runs that could not keep the sums of an hour; they judge by its parts, which are kept for three days.",
    )
    ROWS_UNREADABLE = (
        "RolloutRowsUnreadable",
        COUNT,
        "Rows of rollout_counts that could not be read and were left out; the log names them. Each read counts them again.",
    )
    CHANGES_UNREADABLE = (
        "RulesetChangesUnreadable",
        COUNT,
        "Rows of ruleset_changes that could not be read and were left out; the log names them. Each read counts them again.",
    )
    LEFT_BY_NEW_USERS = (
        "BandsLeftByNewUsers",
        COUNT,
        "Bands of the ruleset that were left by all payments, and not by users with a past; nothing was withdrawn or suspended.",
    )
