"""The metrics of the score stage."""

from __future__ import annotations

from common.metrics import COUNT, MILLISECONDS, StageMetric


class Metric(StageMetric):
    """Name in CloudWatch, unit, meaning."""

    RECORDS_RECEIVED = "RecordsReceived", COUNT, "Records in the batch."
    RECORDS_QUARANTINED = "RecordsQuarantined", COUNT, "Records that are not valid payments; quarantined."
    RESERVED_USERS = (
        "ReservedUsers",
        COUNT,
        "Of these, payments that name a user of the canary's and are none of its own.",
    )
    KEY_MISMATCHES = "KeyMismatches", COUNT, "Payments whose Kafka key is not their user."
    TRANSACTIONS_SCORED = "TransactionsScored", COUNT, "Payments decided and stored."
    TRANSACTIONS_APPROVED = "TransactionsApproved", COUNT, "Of these, approved."
    TRANSACTIONS_REVIEWED = "TransactionsReviewed", COUNT, "Of these, held for review."
    TRANSACTIONS_BLOCKED = "TransactionsBlocked", COUNT, "Of these, blocked."
    TRANSACTIONS_DEGRADED = "TransactionsDegraded", COUNT, "Of these, scored without the cache."
    TRANSACTIONS_REDELIVERED = (
        "TransactionsRedelivered",
        COUNT,
        "Payments that an earlier try of the same record stored in the history.",
    )
    TRANSACTIONS_REPEATED = (
        "TransactionsRepeated",
        COUNT,
        "Repeats by a producer, and redeliveries that had nothing left to do.",
    )
    REPEATS_STORED = (
        "RepeatsStored",
        COUNT,
        "Of the payments scored, those that repeat a recent one under another time; neither counted in profiles nor alerted.",
    )
    TRANSACTIONS_RACED = (
        "TransactionsRaced",
        COUNT,
        "Payments decided behind one whose stored decision another writer, or an earlier try, made otherwise.",
    )
    RECORDS_FAILED = "RecordsFailed", COUNT, "Records to be delivered again."
    PROFILES_REBUILT = "ProfilesRebuilt", COUNT, "Profiles rebuilt from history."
    HISTORY_ROWS_UNREADABLE = (
        "HistoryRowsUnreadable",
        COUNT,
        "History rows that cannot be read; profiles were rebuilt without them.",
    )
    PROFILE_CONFLICTS = (
        "ProfileConflicts",
        COUNT,
        "Profiles that another writer changed between read and write.",
    )
    PROFILE_CHECKPOINTS_WRITTEN = "ProfileCheckpointsWritten", COUNT, "Profiles kept as checkpoints."
    PROFILE_CHECKPOINTS_FAILED = (
        "ProfileCheckpointsFailed",
        COUNT,
        "Profiles that were due as checkpoints, and that DynamoDB did not store in time; they stay due.",
    )
    CACHE_UNAVAILABLE = "CacheUnavailable", COUNT, "Reads or writes that the cache did not answer."
    LABEL_COPIES_UNREADABLE = (
        "LabelCopiesUnreadable",
        COUNT,
        "Copies of risk and verdicts in the cache that cannot be read; payments were decided without them.",
    )
    LABEL_COPIES_INCOMPLETE = (
        "LabelCopiesIncomplete",
        COUNT,
        "Batches decided while the cache may lack copies of risk and verdicts.",
    )
    RULE_FAILURES = "RuleFailures", COUNT, "Rules that could not be evaluated on a payment."
    RULESET_REFUSED = "RulesetRefused", COUNT, "Ruleset documents that were refused."
    RULESET_UNREACHABLE = "RulesetUnreachable", COUNT, "Requests that AppConfig did not answer."
    RULESET_FALLBACK = (
        "RulesetFallback",
        COUNT,
        "Batches decided by the last good ruleset of the bucket, or the default, since AppConfig gave this process none.",
    )
    ROLLOUT_COUNTS_FAILED = (
        "RolloutCountsFailed",
        COUNT,
        "Rows of what both sides of the ruleset say that DynamoDB did not take; they are written with the next ones.",
    )
    OLDEST_RECORD_AGE = (
        "OldestRecordAge",
        MILLISECONDS,
        "From Kafka's append of the batch's oldest stored record to its decision.",
    )
