# One page that follows a payment from top to bottom: is anything wrong, what came in, what was decided, who was alerted.
# `ours` are metrics of the stages and of the Glue job, {service, metric -> statistic}; `aws` are metrics of AWS.

locals {
  story = concat(local.payment_story, local.console_story, local.base_story)

  payment_story = [
    {
      text = "## Is anything wrong?\nA page wakes somebody, a ticket is for the next working day. Each alarm's description names its runbook."
      widgets = [
        { title = "Pages and tickets", alarms = ["${var.name}-page", "${var.name}-ticket"] },
        { title = "What pages", alarms = local.alarm_names_by_severity.page },
        { title = "What can wait", alarms = local.alarm_names_by_severity.ticket },
        { title = "The canary: payments sent, rows and alerts that did not come", ours = { canary = { CanariesSent = ["Sum"], CanaryRowsMissing = ["Maximum"], CanaryAlertsMissing = ["Maximum"] } } },
      ]
    },
    {
      text = "## From a payment to its alert\nTime since Kafka received the payment, in milliseconds. The line is the service level."
      widgets = [
        { title = "Decided, oldest of a batch", ours = { score = { OldestRecordAge = ["p50", "p99"] } }, line = var.thresholds.score_latency_ms },
        { title = "Flagged, delay", ours = { persist = { FlagLatencyMs = ["p50", "p99"] } } },
        { title = "The canary, from its file to its alert", ours = { canary = { CanaryLatencyMs = ["Maximum"] } }, line = var.thresholds.canary_latency_ms },
        { title = "Alerted", ours = { alert = { AlertLatencyMs = ["p50", "p99"] } }, line = var.thresholds.alert_latency_ms },
      ]
    },
    {
      text = "## 1. Files land and become records\nThe Glue job cleans rows, tokenises card numbers, and quarantines bad rows."
      widgets = [
        { title = "Rows", ours = { ingestion = { published = ["Sum"], quarantined = ["Sum"], reserved_users = ["Sum"], dropped_values = ["Sum"] } } },
        { title = "Time of a batch, ms", ours = { ingestion = { duration_ms = ["p50", "Maximum"] } }, line = var.thresholds.ingestion_batch_ms },
        { title = "Labels of landed files", ours = { label_files = { sent = ["Sum"], quarantined = ["Sum"], failures = ["Sum"] } } },
        { title = "Time of a batch of labels, ms", ours = { label_files = { duration_ms = ["Maximum"] } } },
        { title = "Runs that failed", aws = [["Glue", "glue.error.ALL", { JobName = var.glue_job_name, JobRunId = "ALL", Type = "count", ObservabilityGroup = "error" }, "Sum"]] },
      ]
    },
    {
      text = "## 2. Records wait on the topic"
      widgets = [
        {
          title = "Seconds behind, MSK's estimate"
          aws   = [for function in sort(keys(local.kafka_triggers)) : ["AWS/Kafka", "EstimatedMaxTimeLag", local.lag_dimensions[function], "Maximum"]]
          line  = var.thresholds.offset_lag_seconds
        },
        {
          title = "Records behind"
          aws   = [for function in sort(keys(local.kafka_triggers)) : ["AWS/Kafka", "SumOffsetLag", local.lag_dimensions[function], "Maximum"]]
        },
        {
          title = "Disk of the brokers, %"
          aws   = [for broker in range(1, var.kafka.broker_count + 1) : ["AWS/Kafka", "KafkaDataLogsDiskUsed", { "Cluster Name" = var.kafka.cluster_name, "Broker ID" = tostring(broker) }, "Maximum"]]
          line  = var.thresholds.broker_disk_percent
        },
      ]
    },
    {
      text = "## 3. Each payment is decided"
      widgets = [
        { title = "Decisions", ours = { score = { TransactionsApproved = ["Sum"], TransactionsReviewed = ["Sum"], TransactionsBlocked = ["Sum"] } } },
        { title = "Records in, payments out", ours = { score = { RecordsReceived = ["Sum"], TransactionsScored = ["Sum"], RecordsFailed = ["Sum"] } } },
        { title = "Quarantined, or with a wrong key", ours = { score = { RecordsQuarantined = ["Sum"], ReservedUsers = ["Sum"], KeyMismatches = ["Sum"] } } },
        { title = "Redelivered, repeated by the sender, repeated under another time", ours = { score = { TransactionsRedelivered = ["Sum"], TransactionsRepeated = ["Sum"], RepeatsStored = ["Sum"] } } },
      ]
    },
    {
      text = "## 4. What decides: rules and profiles"
      widgets = [
        { title = "Failing rules, refused or unreachable rulesets, unreadable history rows", ours = { score = { RuleFailures = ["Sum"], HistoryRowsUnreadable = ["Sum"], RulesetRefused = ["Sum"], RulesetUnreachable = ["Sum"], RulesetFallback = ["Sum"] } } },
        { title = "Candidates withdrawn, rules suspended, deployments rolled back", ours = { guardrails = { CandidatesWithdrawn = ["Sum"], RulesSuspended = ["Sum"], BandsLeftByNewUsers = ["Maximum"], RulesetRollbacks = ["Sum"] } } },
        { title = "Changes of the ruleset deployed and failed, and rows of them that cannot be read", ours = { guardrails = { RulesetChangesUnreadable = ["Sum"] }, ruleset_deployer = { RulesetChangesDeployed = ["Sum"], RulesetChangesFailed = ["Sum"] } } },
        { title = "Oldest approved change that is not deployed, seconds", ours = { ruleset_deployer = { OldestRulesetChangeSeconds = ["Maximum"] } }, line = 7200 },
        { title = "Payments on which both sides of the ruleset were compared, and counts that could not be stored or read", ours = { guardrails = { PaymentsCompared = ["Maximum"], RolloutHoursNotKept = ["Sum"], RolloutRowsUnreadable = ["Sum"] }, score = { RolloutCountsFailed = ["Sum"] } } },
        { title = "Drift of the model's inputs and score (0.25: another distribution), frauds for each expected one", ours = { drift = { ModelScoreDrift = ["Maximum"], ModelInputDrift = ["Maximum"], ModelCalibration = ["Maximum"] } }, line = 0.25 },
        { title = "Invalid fields and correct alerts, %", ours = { drift = { InvalidFieldPercent = ["Maximum"], FlaggedPrecisionPercent = ["Maximum"] } } },
        { title = "Labels: median delay in days, age of the newest in hours; payments that were counted, labels that cannot be read", ours = { drift = { LabelDelayDays = ["Maximum"], NewestLabelHours = ["Maximum"], PaymentsCounted = ["Maximum"], LabelsUnreadable = ["Sum"] } } },
        { title = "Without the cache", ours = { score = { TransactionsDegraded = ["Sum"], CacheUnavailable = ["Sum"], ProfilesRebuilt = ["Sum"], ProfileConflicts = ["Sum"] } } },
        { title = "Decided behind a payment stored otherwise", ours = { score = { TransactionsRaced = ["Sum"] } } },
        { title = "Checkpoints of profiles, copies of labels", ours = { score = { ProfileCheckpointsWritten = ["Sum"], ProfileCheckpointsFailed = ["Sum"], LabelCopiesUnreadable = ["Sum"], LabelCopiesIncomplete = ["Sum"] } } },
        { title = "Busiest thread of the cache, %", aws = [for node in sort(var.cache_node_ids) : ["AWS/ElastiCache", "EngineCPUUtilization", { CacheClusterId = node }, "Average"]], line = var.thresholds.cache_cpu_percent },
        { title = "Memory of the cache, %", aws = [for node in sort(var.cache_node_ids) : ["AWS/ElastiCache", "DatabaseMemoryUsagePercentage", { CacheClusterId = node }, "Maximum"]], line = var.thresholds.cache_memory_percent },
      ]
    },
    {
      text = "## 5. Suspicious payments are flagged"
      widgets = [
        { title = "Flagged", ours = { persist = { RecordsReceived = ["Sum"], TransactionsFlagged = ["Sum"], TransactionsRedelivered = ["Sum"] } } },
        { title = "Missed by a stage, found again", ours = { reconcile = { PaymentsChecked = ["Sum"], FlaggedRowsRepaired = ["Sum"], AlertsRepaired = ["Sum"], CasesRepaired = ["Sum"], RepairsFailed = ["Sum"], HoursUnchecked = ["Sum"] } } },
        { title = "Cases that wait for a second person", ours = { reconcile = { SecondLooksDue = ["Maximum"] } } },
        { title = "Oldest of them, seconds", ours = { reconcile = { OldestSecondLookSeconds = ["Maximum"] } }, line = 172800 },
        { title = "Failed records", ours = { persist = { RecordsFailed = ["Sum"] } } },
        {
          title = "Behind the streams, ms"
          aws   = [for function in sort(keys(local.stream_triggers)) : ["AWS/Lambda", "IteratorAge", { FunctionName = var.function_names[function] }, "Maximum"]]
          line  = var.thresholds.iterator_age_ms
        },
      ]
    },
    {
      text = "## 6. Somebody is alerted"
      widgets = [
        { title = "Alerts", ours = { alert = { RecordsReceived = ["Sum"], AlertsSent = ["Sum"], AlertsAgain = ["Sum"], AlertsSuppressed = ["Sum"], AlertsOverLimit = ["Sum"] } } },
        { title = "Sent twice, retried, failed", ours = { alert = { AlertsRepeated = ["Sum"], AlertClaimConflicts = ["Sum"], RecordsFailed = ["Sum"], PublishFailures = ["Sum"], FlaggedRowsMissing = ["Sum"] } } },
        {
          title = "Deliveries by SNS"
          aws = [for metric in ["NumberOfMessagesPublished", "NumberOfNotificationsDelivered", "NumberOfNotificationsFailed", "NumberOfNotificationsFilteredOut"] :
          ["AWS/SNS", metric, { TopicName = var.alert_topic_name }, "Sum"]]
        },
      ]
    },
    {
      text = "## 7. People decide on cases"
      widgets = [
        { title = "Cases", ours = { case = { CasesOpened = ["Sum"], CasesClosed = ["Sum"], CasesReopened = ["Sum"], CasesRecounted = ["Sum"] } } },
        { title = "Payments in cases", ours = { case = { RecordsReceived = ["Sum"], PaymentsAdded = ["Sum"], JudgementsChanged = ["Sum"] } } },
        { title = "Failed, retried, deleted before", ours = { case = { RecordsFailed = ["Sum"], CaseConflicts = ["Sum"], FlaggedRowsMissing = ["Sum"] } } },
        { title = "From Kafka to the case, ms", ours = { case = { CaseLatencyMs = ["p50", "p99"] } } },
        { title = "Audit heads kept, gone, unreadable; hours since the last ones", ours = { audit_keeper = { AuditHeadsKept = ["Sum"], AuditHeadsGone = ["Sum"], AuditObjectsUnreadable = ["Sum"], AuditHeadsAgeHours = ["Maximum"] } } },
      ]
    },
    {
      text = "## 8. What no alert reported comes in digests"
      widgets = [
        { title = "Digests, and payments in them", ours = { digest = { DigestsSent = ["Sum"], PaymentsDigested = ["Sum"] } } },
        { title = "Sent twice, failed, left to the next run", ours = { digest = { DigestsRepeated = ["Sum"], DigestsFailed = ["Sum"], DigestsLeft = ["Sum"] } } },
        { title = "Longest a digest was due, ms", ours = { digest = { OldestDueDigestMs = ["Maximum"] } }, line = var.thresholds.digest_delay_ms },
      ]
    },
    {
      text = "## 9. What people say about payments is learnt"
      widgets = [
        { title = "Labels", ours = { label = { RecordsReceived = ["Sum"], LabelsStored = ["Sum"], LabelsRepeated = ["Sum"], LabelsQuarantined = ["Sum"] } } },
        { title = "Failed, unfinished, changed by another worker", ours = { label = { RecordsFailed = ["Sum"], LabelsUnfinished = ["Sum"], LabelConflicts = ["Sum"] } } },
        { title = "From its sending until a label has all its effects, ms", ours = { label = { LabelLatencyMs = ["p50", "p99"] } } },
        { title = "Sent again, expired, left to the next run", ours = { label_upkeep = { LabelsSentAgain = ["Sum"], LabelsExpired = ["Sum"], UpkeepFailures = ["Sum"] } } },
        { title = "Copies in the cache: compared, repaired, with a row that cannot be read, incomplete", ours = { label_upkeep = { CopiesChecked = ["Sum"], CopiesRepaired = ["Sum"], LabelRowsUnreadable = ["Sum"], CopiesIncomplete = ["Maximum"] } } },
        {
          title = "Age of the oldest message in a queue, s"
          aws   = [for queue in sort(values(var.queue_names)) : ["AWS/SQS", "ApproximateAgeOfOldestMessage", { QueueName = queue }, "Maximum"]]
          line  = var.thresholds.queue_age_seconds
        },
      ]
    },
  ]

  base_story = [
    {
      text = "## Dead letters, and what everything runs on"
      widgets = [
        {
          title = "Messages in the dead-letter queues and in quarantine"
          aws   = [for queue in sort(concat(values(var.dead_letter_queue_names), [var.quarantine_queue_name])) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", { QueueName = queue }, "Maximum"]]
        },
        { title = "Failed invocations", aws = [for function in sort(keys(var.function_names)) : ["AWS/Lambda", "Errors", { FunctionName = var.function_names[function] }, "Sum"]] },
        { title = "Throttled invocations", aws = [for function in sort(keys(var.function_names)) : ["AWS/Lambda", "Throttles", { FunctionName = var.function_names[function] }, "Sum"]] },
        { title = "Concurrent executions", aws = [for function in sort(keys(var.function_names)) : ["AWS/Lambda", "ConcurrentExecutions", { FunctionName = var.function_names[function] }, "Maximum"]] },
      ]
    },
    {
      text = "## Tables"
      widgets = [
        { title = "Write units", aws = [for table in sort(keys(var.table_names)) : ["AWS/DynamoDB", "ConsumedWriteCapacityUnits", { TableName = var.table_names[table] }, "Sum"]] },
        { title = "Read units", aws = [for table in sort(keys(var.table_names)) : ["AWS/DynamoDB", "ConsumedReadCapacityUnits", { TableName = var.table_names[table] }, "Sum"]] },
        {
          title = "Throttled requests"
          aws = flatten([for table in sort(keys(var.table_names)) : [for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] :
          { entry = ["AWS/DynamoDB", metric, { TableName = var.table_names[table] }, "Sum"] }]])[*].entry
        },
      ]
    },
  ]

  # 24 columns; each part is a line of text and a row of widgets below it.
  text_height   = 2
  widget_height = 6
  row_height    = local.text_height + local.widget_height

  # [namespace, metric, dimension, value, ..., {stat}]: CloudWatch's form of a widget's metric. A widget's `ours` and `aws` become one
  # list here; both are optional.
  widget_metrics = {
    for key, widget in merge([for row, part in local.story : { for column, widget in part.widgets : "${row}.${column}" => widget }]...) :
    key => concat(
      flatten([
        for service, metrics in lookup(widget, "ours", {}) : [
          for metric, statistics in metrics : [
            for statistic in statistics : { entry = [var.metrics_namespace, metric, "service", service, { stat = statistic, label = length(statistics) > 1 ? "${metric} ${statistic}" : metric }] }
          ]
        ]
      ])[*].entry,
      [
        for metric in lookup(widget, "aws", []) :
        concat([metric[0], metric[1]], flatten([for dimension, value in metric[2] : [dimension, value]]), [{ stat = metric[3] }])
      ],
    )
  }
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    start          = "-PT3H"
    periodOverride = "inherit"
    widgets = flatten([
      for row, part in local.story : [
        [{
          type       = "text"
          x          = 0
          y          = row * local.row_height
          width      = 24
          height     = local.text_height
          properties = { markdown = part.text, background = "transparent" }
        }],
        [
          for column, widget in part.widgets : {
            type   = contains(keys(widget), "alarms") ? "alarm" : "metric"
            x      = column * floor(24 / length(part.widgets))
            y      = row * local.row_height + local.text_height
            width  = floor(24 / length(part.widgets))
            height = local.widget_height
            properties = {
              for name, value in {
                title       = widget.title
                alarms      = contains(keys(widget), "alarms") ? [for alarm in lookup(widget, "alarms", []) : "${local.alarm_arn_start}:${alarm}"] : null
                region      = contains(keys(widget), "alarms") ? null : data.aws_region.current.name
                view        = contains(keys(widget), "alarms") ? null : "timeSeries"
                period      = contains(keys(widget), "alarms") ? null : 60
                metrics     = contains(keys(widget), "alarms") ? null : local.widget_metrics["${row}.${column}"]
                annotations = contains(keys(widget), "line") ? { horizontal = [{ value = lookup(widget, "line", 0), label = "alarm" }] } : null
              } : name => value if value != null
            }
          }
        ],
      ]
    ])
  })
}

locals {
  # Alarm widgets need ARNs; those of all alarms differ from the composite alarm's only in the name.
  alarm_arn_start = trimsuffix(aws_cloudwatch_composite_alarm.page.arn, ":${aws_cloudwatch_composite_alarm.page.alarm_name}")
}
