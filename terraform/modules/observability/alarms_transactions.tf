# Alarms of the payments' processing, from the metrics that the stages and the Glue job write.

locals {
  transaction_alarms = {
    alert-latency = {
      kind           = "alert-latency"
      severity       = "page"
      symptom        = "One alert in a hundred is sent later than ${var.thresholds.alert_latency_ms} ms after the payment reached Kafka: the service level is missed."
      threshold      = var.thresholds.alert_latency_ms
      period_seconds = 60
      periods        = 5
      datapoints     = 3
      expression     = null
      metrics        = { latency = { namespace = var.metrics_namespace, name = "AlertLatencyMs", stat = "p99", dimensions = { service = "alert" } } }
    }
    score-latency = {
      kind           = "score-latency"
      severity       = "ticket"
      symptom        = "One batch in a hundred has a payment that waited more than ${var.thresholds.score_latency_ms} ms for its decision."
      threshold      = var.thresholds.score_latency_ms
      period_seconds = 60
      periods        = 15
      datapoints     = 10
      expression     = null
      metrics        = { age = { namespace = var.metrics_namespace, name = "OldestRecordAge", stat = "p99", dimensions = { service = "score" } } }
    }
    degraded-scoring = {
      kind           = "degraded-scoring"
      severity       = "page"
      symptom        = "More than ${var.thresholds.degraded_percent} % of the payments are scored without the cache, from history alone."
      threshold      = var.thresholds.degraded_percent
      period_seconds = 60
      periods        = 5
      datapoints     = 3
      expression     = "IF(scored > 0, 100 * FILL(degraded, 0) / scored, 0)"
      metrics = {
        degraded = { namespace = var.metrics_namespace, name = "TransactionsDegraded", stat = "Sum", dimensions = { service = "score" } }
        scored   = { namespace = var.metrics_namespace, name = "TransactionsScored", stat = "Sum", dimensions = { service = "score" } }
      }
    }
    checkpoints-failed = {
      kind           = "checkpoints-failed"
      severity       = "ticket"
      symptom        = "Profiles cannot be kept as checkpoints; if the cache fails now, they are rebuilt from more history, and scoring is slower."
      threshold      = 0
      period_seconds = 60
      periods        = 10
      datapoints     = 5
      expression     = null
      metrics        = { failed = { namespace = var.metrics_namespace, name = "ProfileCheckpointsFailed", stat = "Sum", dimensions = { service = "score" } } }
    }
    quarantine-rate = {
      kind           = "quarantine-rate"
      severity       = "ticket"
      symptom        = "More than ${var.thresholds.quarantine_percent} % of the records on the topic are no valid payments and are quarantined without a score."
      threshold      = var.thresholds.quarantine_percent
      period_seconds = 60
      periods        = 10
      datapoints     = 5
      expression     = "IF(received > 0, 100 * FILL(quarantined, 0) / received, 0)"
      metrics = {
        quarantined = { namespace = var.metrics_namespace, name = "RecordsQuarantined", stat = "Sum", dimensions = { service = "score" } }
        received    = { namespace = var.metrics_namespace, name = "RecordsReceived", stat = "Sum", dimensions = { service = "score" } }
      }
    }
    reserved-users = {
      kind           = "reserved-users"
      severity       = "ticket"
      symptom        = "Records on the topic name users that are reserved for the canary, and are not the canary's: a mistake of a sender, or somebody who hopes to be left out. They are quarantined without a score."
      threshold      = 0
      period_seconds = 60
      periods        = 1
      datapoints     = 1
      expression     = null
      metrics        = { reserved = { namespace = var.metrics_namespace, name = "ReservedUsers", stat = "Sum", dimensions = { service = "score" } } }
    }
    reserved-users-in-files = {
      kind           = "reserved-users"
      severity       = "ticket"
      symptom        = "Rows of landed files name users that are reserved for the canary, and are not the canary's. They are quarantined and do not reach the topic."
      threshold      = 0
      period_seconds = 60
      periods        = 1
      datapoints     = 1
      expression     = null
      metrics        = { reserved = { namespace = var.metrics_namespace, name = "reserved_users", stat = "Sum", dimensions = { service = "ingestion" } } }
    }
    ruleset-refused = {
      kind           = "ruleset-refused"
      severity       = "ticket"
      symptom        = "Functions received a ruleset that they refuse; the last good one stays active."
      threshold      = 0
      period_seconds = 60
      periods        = 1
      datapoints     = 1
      expression     = null
      metrics        = { refused = { namespace = var.metrics_namespace, name = "RulesetRefused", stat = "Sum", dimensions = { service = "score" } } }
    }
    candidate-withdrawn = {
      kind           = "candidate-withdrawn"
      severity       = "ticket"
      symptom        = "A candidate left its guardrails and was taken out of the ruleset; the champion decides for all users again."
      threshold      = 0
      period_seconds = 60
      periods        = 1
      datapoints     = 1
      expression     = null
      metrics        = { withdrawn = { namespace = var.metrics_namespace, name = "CandidatesWithdrawn", stat = "Sum", dimensions = { service = "guardrails" } } }
    }
    rule-suspended = {
      kind           = "rule-suspended"
      severity       = "page"
      symptom        = "A rule held for more users with a past than its largest share and was suspended: payments that it would have stopped are approved."
      threshold      = 0
      period_seconds = 60
      periods        = 1
      datapoints     = 1
      expression     = null
      metrics        = { suspended = { namespace = var.metrics_namespace, name = "RulesSuspended", stat = "Sum", dimensions = { service = "guardrails" } } }
    }
    new-users-leave-band = {
      kind           = "new-users-leave-band"
      severity       = "page"
      symptom        = "New users alone make a candidate or a rule leave its bounds: an attack, or honest people who are new. Nothing was withdrawn or suspended."
      threshold      = 0
      period_seconds = 60
      periods        = 10
      datapoints     = 3
      expression     = null
      metrics        = { left = { namespace = var.metrics_namespace, name = "BandsLeftByNewUsers", stat = "Maximum", dimensions = { service = "guardrails" } } }
    }
    ruleset-change-failed = {
      kind           = "ruleset-change-failed"
      severity       = "ticket"
      symptom        = "A change of the ruleset that somebody has approved was refused, or its deployment was undone; the ruleset before it stays active."
      threshold      = 0
      period_seconds = 60
      periods        = 1
      datapoints     = 1
      expression     = null
      metrics        = { failed = { namespace = var.metrics_namespace, name = "RulesetChangesFailed", stat = "Sum", dimensions = { service = "ruleset_deployer" } } }
    }
    ruleset-change-waits = {
      kind           = "ruleset-change-waits"
      severity       = "ticket"
      symptom        = "A change of the ruleset was approved two hours ago and is not deployed yet; a deployment usually takes 50 minutes."
      threshold      = 7200
      period_seconds = 300
      periods        = 3
      datapoints     = 3
      expression     = null
      metrics        = { oldest = { namespace = var.metrics_namespace, name = "OldestRulesetChangeSeconds", stat = "Maximum", dimensions = { service = "ruleset_deployer" } } }
    }
    ruleset-change-unreadable = {
      kind           = "ruleset-change-unreadable"
      severity       = "ticket"
      symptom        = "A change of the ruleset cannot be read from its table: lists and the guardrails leave it out, and nothing deploys it."
      threshold      = 0
      period_seconds = 60
      periods        = 10
      datapoints     = 5
      expression     = null
      metrics        = { unreadable = { namespace = var.metrics_namespace, name = "RulesetChangesUnreadable", stat = "Sum", dimensions = { service = "guardrails" } } }
    }
    rollout-counts = {
      kind           = "rollout-counts"
      severity       = "ticket"
      symptom        = "Counts of what both sides of the ruleset say cannot be stored or read, or their sums by hour cannot be kept: the guardrails judge by fewer payments, or read more rows each minute."
      threshold      = 0
      period_seconds = 60
      periods        = 10
      datapoints     = 5
      expression     = "FILL(failed, 0) + FILL(hours, 0) + FILL(unreadable, 0)"
      metrics = {
        failed     = { namespace = var.metrics_namespace, name = "RolloutCountsFailed", stat = "Sum", dimensions = { service = "score" } }
        hours      = { namespace = var.metrics_namespace, name = "RolloutHoursNotKept", stat = "Sum", dimensions = { service = "guardrails" } }
        unreadable = { namespace = var.metrics_namespace, name = "RolloutRowsUnreadable", stat = "Sum", dimensions = { service = "guardrails" } }
      }
    }
    model-drift = {
      kind           = "model-drift"
      severity       = "ticket"
      symptom        = "Payments are not like those that the model was trained on: an input or the probability has another distribution."
      threshold      = 0.25
      period_seconds = 21600
      periods        = 2
      datapoints     = 2
      expression     = "MAX([input, score])"
      metrics = {
        input = { namespace = var.metrics_namespace, name = "ModelInputDrift", stat = "Maximum", dimensions = { service = "drift" } }
        score = { namespace = var.metrics_namespace, name = "ModelScoreDrift", stat = "Maximum", dimensions = { service = "drift" } }
      }
    }
    model-calibration = {
      kind           = "model-calibration"
      severity       = "ticket"
      symptom        = "Of the payments of 30 to 60 days ago more than twice or less than half as many were fraud as the model expected."
      threshold      = 0
      period_seconds = 21600
      periods        = 2
      datapoints     = 2
      expression     = "IF(calibration > 2 OR calibration < 0.5, 1, 0)"
      metrics        = { calibration = { namespace = var.metrics_namespace, name = "ModelCalibration", stat = "Maximum", dimensions = { service = "drift" } } }
    }
    labels-old = {
      kind           = "labels-old"
      severity       = "ticket"
      symptom        = "No label became known for three days: the risk of cards, devices and merchants grows old."
      threshold      = 72
      period_seconds = 21600
      periods        = 1
      datapoints     = 1
      expression     = null
      metrics        = { age = { namespace = var.metrics_namespace, name = "NewestLabelHours", stat = "Maximum", dimensions = { service = "drift" } } }
    }
    invalid-fields = {
      kind           = "invalid-fields"
      severity       = "ticket"
      symptom        = "A field cannot be used in more than a tenth of the payments: a sender has changed what it sends, and the model and rules decide without it."
      threshold      = 10
      period_seconds = 21600
      periods        = 1
      datapoints     = 1
      expression     = null
      metrics        = { invalid = { namespace = var.metrics_namespace, name = "InvalidFieldPercent", stat = "Maximum", dimensions = { service = "drift" } } }
    }
    ruleset-unreachable = {
      kind           = "ruleset-unreachable"
      severity       = "ticket"
      symptom        = "AppConfig is unavailable; the last ruleset stays active, and new function instances take the last good one from the rules bucket."
      threshold      = 0
      period_seconds = 60
      periods        = 10
      datapoints     = 5
      expression     = null
      metrics        = { unreachable = { namespace = var.metrics_namespace, name = "RulesetUnreachable", stat = "Sum", dimensions = { service = "score" } } }
    }
    ruleset-fallback = {
      kind           = "ruleset-fallback"
      severity       = "page"
      symptom        = "Functions that started without AppConfig decide by the last good ruleset of the rules bucket, or by the default."
      threshold      = 0
      period_seconds = 60
      periods        = 5
      datapoints     = 2
      expression     = null
      metrics        = { batches = { namespace = var.metrics_namespace, name = "RulesetFallback", stat = "Sum", dimensions = { service = "score" } } }
    }
    reconcile = {
      kind           = "reconcile"
      severity       = "page"
      symptom        = "The reconciler found suspicious payments that a stage had missed, not flagged, not alerted on or in no case, or had no time to look at all hours. Those that it repaired were late by up to a day."
      threshold      = 0
      period_seconds = 300
      periods        = 1
      datapoints     = 1
      expression     = "FILL(flagged, 0) + FILL(alerts, 0) + FILL(cases, 0) + FILL(failed, 0) + FILL(unchecked, 0)"
      metrics = {
        flagged   = { namespace = var.metrics_namespace, name = "FlaggedRowsRepaired", stat = "Sum", dimensions = { service = "reconcile" } }
        alerts    = { namespace = var.metrics_namespace, name = "AlertsRepaired", stat = "Sum", dimensions = { service = "reconcile" } }
        cases     = { namespace = var.metrics_namespace, name = "CasesRepaired", stat = "Sum", dimensions = { service = "reconcile" } }
        failed    = { namespace = var.metrics_namespace, name = "RepairsFailed", stat = "Sum", dimensions = { service = "reconcile" } }
        unchecked = { namespace = var.metrics_namespace, name = "HoursUnchecked", stat = "Sum", dimensions = { service = "reconcile" } }
      }
    }
    second-looks-wait = {
      kind           = "second-looks-wait"
      severity       = "ticket"
      symptom        = "Released money has waited for a second person for more than two days. What was called legitimate counts meanwhile."
      threshold      = 172800
      period_seconds = 300
      periods        = 1
      datapoints     = 1
      expression     = null
      metrics        = { oldest = { namespace = var.metrics_namespace, name = "OldestSecondLookSeconds", stat = "Maximum", dimensions = { service = "reconcile" } } }
    }
    rule-failures = {
      kind           = "rule-failures"
      severity       = "ticket"
      symptom        = "Rules of the active ruleset cannot be evaluated for some payments and add nothing to their scores."
      threshold      = 0
      period_seconds = 60
      periods        = 5
      datapoints     = 3
      expression     = null
      metrics        = { failures = { namespace = var.metrics_namespace, name = "RuleFailures", stat = "Sum", dimensions = { service = "score" } } }
    }
    publish-failures = {
      kind           = "publish-failures"
      severity       = "page"
      symptom        = "SNS refuses alerts; they are retried until they are dead-lettered."
      threshold      = 0
      period_seconds = 60
      periods        = 5
      datapoints     = 3
      expression     = null
      metrics        = { failures = { namespace = var.metrics_namespace, name = "PublishFailures", stat = "Sum", dimensions = { service = "alert" } } }
    }
    digest-delay = {
      kind           = "digest-delay"
      severity       = "ticket"
      symptom        = "Digests of payments that no alert reported have been due for more than ${var.thresholds.digest_delay_ms / 1000} s and are not sent."
      threshold      = var.thresholds.digest_delay_ms
      period_seconds = 300
      periods        = 3
      datapoints     = 3
      expression     = null
      # Every run writes how long the oldest digest waits, also when none does: no value is no run.
      missing = "breaching"
      metrics = { delay = { namespace = var.metrics_namespace, name = "OldestDueDigestMs", stat = "Maximum", dimensions = { service = "digest" } } }
    }
    label-copies = {
      kind           = "label-copies"
      severity       = "ticket"
      symptom        = "The cache has lacked copies of what labels say for an hour: payments are decided without the risk of their cards, devices and merchants."
      threshold      = 0
      period_seconds = 300
      periods        = 12
      datapoints     = 12
      expression     = null
      metrics        = { incomplete = { namespace = var.metrics_namespace, name = "CopiesIncomplete", stat = "Maximum", dimensions = { service = "label_upkeep" } } }
    }
    label-copies-unreadable = {
      kind           = "label-copies-unreadable"
      severity       = "ticket"
      symptom        = "The score stage cannot read copies of what labels say: payments of these cards, devices, merchants and users are decided as if nobody had reported anything."
      threshold      = 0
      period_seconds = 300
      periods        = 6 # a deployment that changes the copies' format has replaced them by then
      datapoints     = 4
      expression     = null
      metrics        = { unreadable = { namespace = var.metrics_namespace, name = "LabelCopiesUnreadable", stat = "Sum", dimensions = { service = "score" } } }
    }
    ingestion-quarantine = {
      kind           = "ingestion-quarantine"
      severity       = "ticket"
      symptom        = "More than ${var.thresholds.quarantine_percent} % of the rows of landed files are quarantined and do not reach the topic."
      threshold      = var.thresholds.quarantine_percent
      period_seconds = 300
      periods        = 3
      datapoints     = 2
      expression     = "IF(published + quarantined > 0, 100 * quarantined / (published + quarantined), 0)"
      metrics = {
        published   = { namespace = var.metrics_namespace, name = "published", stat = "Sum", dimensions = { service = "ingestion" } }
        quarantined = { namespace = var.metrics_namespace, name = "quarantined", stat = "Sum", dimensions = { service = "ingestion" } }
      }
    }
    label-files-quarantine = {
      kind           = "label-files-quarantine"
      severity       = "ticket"
      symptom        = "More than ${var.thresholds.quarantine_percent} % of the rows of landed files of labels are quarantined, and nothing is learnt from them."
      threshold      = var.thresholds.quarantine_percent
      period_seconds = 300
      periods        = 1
      datapoints     = 1 # such a file comes once a day, and is one batch
      expression     = "IF(sent + quarantined > 0, 100 * quarantined / (sent + quarantined), 0)"
      metrics = {
        sent        = { namespace = var.metrics_namespace, name = "sent", stat = "Sum", dimensions = { service = "label_files" } }
        quarantined = { namespace = var.metrics_namespace, name = "quarantined", stat = "Sum", dimensions = { service = "label_files" } }
      }
    }
    label-files-failed = {
      kind           = "label-files-failed"
      severity       = "ticket"
      symptom        = "The Glue job cannot read files of labels, or not send their labels, and tries again and again. Payments are not affected."
      threshold      = 1 # a second failure within this time: the first may be an interruption
      period_seconds = 900
      periods        = 1
      datapoints     = 1
      expression     = null
      metrics        = { failures = { namespace = var.metrics_namespace, name = "failures", stat = "Sum", dimensions = { service = "label_files" } } }
    }
    ingestion-lag = {
      kind           = "ingestion-lag"
      severity       = "ticket"
      symptom        = "A batch of landed files takes the Glue job longer than ${var.thresholds.ingestion_batch_ms / 1000} s, and new files wait behind it."
      threshold      = var.thresholds.ingestion_batch_ms
      period_seconds = 300
      periods        = 3
      datapoints     = 3
      expression     = null
      metrics        = { duration = { namespace = var.metrics_namespace, name = "duration_ms", stat = "Maximum", dimensions = { service = "ingestion" } } }
    }
  }
}
