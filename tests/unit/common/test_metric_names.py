"""The names of metrics are a contract: dashboards, alarms and other people's queries use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alert.metrics import Metric as AlertMetric
from digest.metrics import Metric as DigestMetric
from persist.metrics import Metric as PersistMetric
from score.metrics import Metric as ScoreMetric

if TYPE_CHECKING:
    from common.metrics import StageMetric

SCORE = """
    RecordsReceived Count
    RecordsQuarantined Count
    ReservedUsers Count
    KeyMismatches Count
    ReservedUsers Count
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
    RuleFailures Count
    RulesetRefused Count
    RulesetUnreachable Count
    RulesetFallback Count
    ReservedUsers Count
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


@pytest.mark.parametrize(
    ("metrics", "names"),
    [(ScoreMetric, SCORE), (PersistMetric, PERSIST), (AlertMetric, ALERT), (DigestMetric, DIGEST)],
    ids=["score", "persist", "alert", "digest"],
)
def test_a_stage_emits_the_metrics_that_it_always_has(metrics: type[StageMetric], names: str) -> None:
    expected = dict(line.split() for line in names.strip().splitlines())

    assert {metric.value: metric.unit.value for metric in metrics} == expected
