"""The names of metrics are a contract: dashboards, alarms and other people's queries use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alert.metrics import Metric as AlertMetric
from canary.metrics import Metric as CanaryMetric
from digest.metrics import Metric as DigestMetric
from persist.metrics import Metric as PersistMetric
from reconcile.metrics import Metric as ReconcileMetric
from score.metrics import Metric as ScoreMetric

if TYPE_CHECKING:
    from common.metrics import StageMetric

SCORE = """
    RecordsReceived Count
    RecordsQuarantined Count
    ReservedUsers Count
    KeyMismatches Count
    TransactionsScored Count
    TransactionsApproved Count
    TransactionsReviewed Count
    TransactionsBlocked Count
    TransactionsDegraded Count
    TransactionsRedelivered Count
    TransactionsRepeated Count
    RepeatsStored Count
    TransactionsRaced Count
    RecordsFailed Count
    ProfilesRebuilt Count
    HistoryRowsUnreadable Count
    ProfileConflicts Count
    ProfileCheckpointsWritten Count
    ProfileCheckpointsFailed Count
    CacheUnavailable Count
    LabelCopiesUnreadable Count
    LabelCopiesIncomplete Count
    RuleFailures Count
    RulesetRefused Count
    RulesetUnreachable Count
    RulesetFallback Count
    RolloutCountsFailed Count
    OldestRecordAge Milliseconds
"""
PERSIST = """
    RecordsReceived Count
    RecordsFailed Count
    TransactionsFlagged Count
    TransactionsRedelivered Count
    FlagLatencyMs Milliseconds
"""
ALERT = """
    RecordsReceived Count
    RecordsFailed Count
    AlertsSent Count
    AlertsRepeated Count
    AlertsAgain Count
    AlertsSuppressed Count
    AlertsOverLimit Count
    AlertClaimConflicts Count
    AlertLatencyMs Milliseconds
    PublishFailures Count
    FlaggedRowsMissing Count
"""
DIGEST = """
    DigestsSent Count
    DigestsRepeated Count
    PaymentsDigested Count
    DigestsFailed Count
    DigestsLeft Count
    OldestDueDigestMs Milliseconds
"""
CANARY = """
    CanariesSent Count
    CanaryRowsMissing Count
    CanaryAlertsMissing Count
    CanaryLatencyMs Milliseconds
"""
RECONCILE = """
    PaymentsChecked Count
    FlaggedRowsRepaired Count
    AlertsRepaired Count
    CasesRepaired Count
    SecondLooksDue Count
    OldestSecondLookSeconds Seconds
    RepairsFailed Count
    HoursUnchecked Count
"""


@pytest.mark.parametrize(
    ("metrics", "names"),
    [
        (ScoreMetric, SCORE),
        (PersistMetric, PERSIST),
        (AlertMetric, ALERT),
        (DigestMetric, DIGEST),
        (CanaryMetric, CANARY),
        (ReconcileMetric, RECONCILE),
    ],
    ids=["score", "persist", "alert", "digest", "canary", "reconcile"],
)
def test_a_stage_emits_the_metrics_that_it_always_has(metrics: type[StageMetric], names: str) -> None:
    expected = [line.strip() for line in names.strip().splitlines()]

    assert sorted(f"{metric.value} {metric.unit.value}" for metric in metrics) == sorted(expected)
