# Alarms for symptoms, each with its runbook, and the dashboard. tests/terraform compares both with the metrics that the functions
# emit and with the existing runbooks.

mock_provider "aws" {
  source = "./tests/mocks"

  mock_resource "aws_cloudwatch_composite_alarm" {
    defaults = { arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:fraud-test-page" }
  }
}

variables {
  name                    = "fraud-test"
  metrics_namespace       = "FraudDetection/test"
  functions_dir           = "./tests/fixtures/functions"
  function_names          = { payments = "fraud-test-payments", changes = "fraud-test-changes", helper_tool = "fraud-test-helper-tool", reading = "fraud-test-reading" }
  dead_letter_queue_names = { payments = "fraud-test-payments-dead-letter", subscription = "fraud-test-alerts-redrive" }
  quarantine_queue_name   = "fraud-test-quarantine"
  queue_names             = { labels = "fraud-test-labels" }
  table_names             = { history = "fraud-test-history" }
  kafka                   = { cluster_name = "fraud-test", topic_names = { transaction_stream = "transaction_stream" }, broker_count = 3 }
  cache_node_ids          = ["fraud-test-001", "fraud-test-002"]
  alert_topic_name        = "fraud-test-alerts"
  glue_job_name           = "fraud-test-ingestion"
  history_export_arn      = "arn:aws:states:us-east-1:123456789012:stateMachine:fraud-test-export-history"
  keep_running_arn        = "arn:aws:states:us-east-1:123456789012:stateMachine:fraud-test-keep-ingestion-running"
  notification_topic_arns = {
    page   = ["arn:aws:sns:us-east-1:123456789012:page"]
    ticket = ["arn:aws:sns:us-east-1:123456789012:ticket"]
  }
}

run "a_console_has_its_alarms_and_its_part_of_the_dashboard" {
  command = apply

  module {
    source = "./modules/observability"
  }

  variables {
    console = { api_name = "fraud-test-console", stage_name = "v1", metric_names = { throttled = "console-throttled", not_answered = "console-not-answered" } }
  }

  assert {
    condition     = toset([for alarm in keys(aws_cloudwatch_metric_alarm.symptom) : alarm if startswith(alarm, "console-")]) == toset(["console-errors", "console-latency", "console-latency-slowest", "console-not-answered", "console-throttled"])
    error_message = "Errors, latency, throttles and failed calls of the function are watched."
  }
  assert {
    condition     = alltrue([for query in aws_cloudwatch_metric_alarm.symptom["console-errors"].metric_query : query.metric[0].dimensions == tomap({ ApiName = "fraud-test-console", Stage = "v1" }) if length(query.metric) > 0])
    error_message = "They are the API's own."
  }
  assert {
    condition     = [for alarm in ["console-latency", "console-latency-slowest"] : [one(aws_cloudwatch_metric_alarm.symptom[alarm].metric_query[*].metric[0].stat), aws_cloudwatch_metric_alarm.symptom[alarm].threshold]] == [["p95", 1500], ["p99", 5000]]
    error_message = "One page in twenty and one in a hundred have a limit each."
  }
  assert {
    condition     = contains([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : try(widget.properties.title, "")], "Time of an answer, ms")
    error_message = "The dashboard shows what people wait for."
  }
}

run "without_a_console_nothing_watches_one" {
  command = apply

  module {
    source = "./modules/observability"
  }

  assert {
    condition     = length([for alarm in keys(aws_cloudwatch_metric_alarm.symptom) : alarm if startswith(alarm, "console-")]) == 0
    error_message = "There is no API to watch."
  }
}

run "each_function_has_its_alarms" {
  command = apply

  module {
    source = "./modules/observability"
  }

  assert {
    condition = length(setsubtract([
      "function-errors-payments", "function-errors-changes", "function-errors-helper_tool", "function-throttles-payments",
      "offset-lag-payments", "iterator-age-changes", "records-failed-payments", "records-failed-changes",
      "dead-letters-payments", "dead-letters-subscription", "dead-letters-unannounced-changes", "table-throttles-history",
      "queue-age-reading", "records-failed-reading",
    ], keys(aws_cloudwatch_metric_alarm.symptom))) == 0
    error_message = "Functions, queues and tables have their own alarms."
  }

  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.symptom), "offset-lag-changes") && !contains(keys(aws_cloudwatch_metric_alarm.symptom), "records-failed-helper_tool")
    error_message = "A function has the alarms of its trigger only."
  }

  assert {
    condition     = one([for query in aws_cloudwatch_metric_alarm.symptom["queue-age-reading"].metric_query : query.metric[0].dimensions.QueueName]) == "fraud-test-labels" && aws_cloudwatch_metric_alarm.symptom["queue-age-reading"].threshold == 900
    error_message = "The age is that of the oldest message of the queue that the function reads."
  }

  # tests/terraform/test_observability.py evaluates the expression.
  assert {
    condition = { for query in aws_cloudwatch_metric_alarm.symptom["offset-lag-payments"].metric_query : query.id => "${query.metric[0].metric_name} ${jsonencode(query.metric[0].dimensions)}" if length(query.metric) > 0 } == {
      waiting  = "SumOffsetLag ${jsonencode({ "Cluster Name" = "fraud-test", "Consumer Group" = "fraud-score", Topic = "transaction_stream" })}"
      estimate = "EstimatedMaxTimeLag ${jsonencode({ "Cluster Name" = "fraud-test", "Consumer Group" = "fraud-score", Topic = "transaction_stream" })}"
      received = "RecordsReceived ${jsonencode({ service = "payments" })}"
    }
    error_message = "The lag is that of the function's consumer group on its topic, in seconds."
  }
}

run "pages_wake_and_tickets_do_not" {
  command = apply

  module {
    source = "./modules/observability"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.symptom["alert-latency"].alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:page"]) && aws_cloudwatch_metric_alarm.symptom["alert-latency"].threshold == 5000
    error_message = "A broken service level wakes somebody."
  }

  assert {
    condition     = alltrue([for alarm in [aws_cloudwatch_metric_alarm.symptom["cache-cpu"], aws_cloudwatch_metric_alarm.ruleset_rollback] : alarm.alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:ticket"]) && alarm.ok_actions == alarm.alarm_actions])
    error_message = "A ticket notifies on its own, and wakes nobody."
  }

  assert {
    condition = alltrue(concat(
      [for key, alarm in aws_cloudwatch_metric_alarm.symptom : strcontains(contains(alarm.alarm_actions, "arn:aws:sns:us-east-1:123456789012:page") ? aws_cloudwatch_composite_alarm.page.alarm_rule : aws_cloudwatch_composite_alarm.ticket.alarm_rule, "ALARM(\"${alarm.alarm_name}\")")],
      [strcontains(aws_cloudwatch_composite_alarm.ticket.alarm_rule, "ALARM(\"fraud-test-ruleset-rollback\")")],
    ))
    error_message = "Every alarm is in the composite alarm of its severity."
  }

  # CloudWatch API, PutCompositeAlarm: AlarmActions run when the alarm changes to ALARM from another state, so a composite alarm that is in
  # ALARM says nothing of the next child; and an actions suppressor in ALARM suppresses all actions.
  assert {
    condition     = alltrue([for alarm in [aws_cloudwatch_composite_alarm.page, aws_cloudwatch_composite_alarm.ticket] : try(length(alarm.alarm_actions), 0) + try(length(alarm.ok_actions), 0) + length(alarm.actions_suppressor) == 0])
    error_message = "No notification depends on a composite alarm, because one alarm would hide the next."
  }

  assert {
    condition     = length(aws_cloudwatch_composite_alarm.page.alarm_rule) < 10240 && length(aws_cloudwatch_composite_alarm.ticket.alarm_rule) < 10240
    error_message = "A composite alarm's rule may have 10240 characters."
  }
}

run "copies_of_labels_that_are_missing_or_unreadable_are_tickets" {
  command = apply

  module {
    source = "./modules/observability"
  }

  assert {
    condition = {
      for key in ["label-copies", "label-copies-unreadable"] :
      key => "${one(aws_cloudwatch_metric_alarm.symptom[key].alarm_actions)} ${one(one(aws_cloudwatch_metric_alarm.symptom[key].metric_query).metric).metric_name} ${jsonencode(one(one(aws_cloudwatch_metric_alarm.symptom[key].metric_query).metric).dimensions)}"
      } == {
      label-copies            = "arn:aws:sns:us-east-1:123456789012:ticket CopiesIncomplete ${jsonencode({ service = "label_upkeep" })}"
      label-copies-unreadable = "arn:aws:sns:us-east-1:123456789012:ticket LabelCopiesUnreadable ${jsonencode({ service = "score" })}"
    }
    error_message = "The upkeep says that copies are missing, and the score stage that it cannot read those that are there."
  }

  # A deployment that changes the format replaces the copies within some minutes.
  assert {
    condition     = aws_cloudwatch_metric_alarm.symptom["label-copies-unreadable"].threshold == 0 && aws_cloudwatch_metric_alarm.symptom["label-copies-unreadable"].evaluation_periods == 6 && aws_cloudwatch_metric_alarm.symptom["label-copies-unreadable"].datapoints_to_alarm == 4 && one(one(aws_cloudwatch_metric_alarm.symptom["label-copies-unreadable"].metric_query).metric).period == 300
    error_message = "Copies that stay unreadable for 20 of 30 minutes are a ticket, and those of one deployment are none."
  }
}

run "each_alarm_names_its_runbook" {
  command = apply

  module {
    source = "./modules/observability"
  }

  variables {
    runbook_base = "https://example.org/runbooks"
  }

  assert {
    condition     = alltrue([for key, alarm in aws_cloudwatch_metric_alarm.symptom : can(regex("Runbook: https://example\\.org/runbooks/[a-z-]+\\.md$", alarm.alarm_description)) && startswith(key, regex("runbooks/([a-z-]+)\\.md$", alarm.alarm_description)[0])])
    error_message = "The description ends with the runbook of the alarm's kind."
  }
}

run "who_touches_payments_pages_and_malware_is_a_ticket" {
  command = apply

  module {
    source = "./modules/observability"
  }

  variables {
    audit_metric_names = { touched = "payments-touched", opened = "payments-opened" }
    threat_rule_name   = "fraud-test-malware-found"
  }

  assert {
    condition = {
      for key in ["payments-touched", "payments-touched-opened", "malware-found"] :
      key => "${one(aws_cloudwatch_metric_alarm.symptom[key].alarm_actions)} ${one(one(aws_cloudwatch_metric_alarm.symptom[key].metric_query).metric).metric_name}"
      } == {
      payments-touched        = "arn:aws:sns:us-east-1:123456789012:page payments-touched"
      payments-touched-opened = "arn:aws:sns:us-east-1:123456789012:page payments-opened"
      malware-found           = "arn:aws:sns:us-east-1:123456789012:ticket TriggeredRules"
    }
    error_message = "A person at payments wakes somebody; a file, which nothing executes, can wait."
  }

  assert {
    condition     = alltrue([for key in ["payments-touched", "payments-touched-opened", "malware-found"] : aws_cloudwatch_metric_alarm.symptom[key].threshold == 0 && aws_cloudwatch_metric_alarm.symptom[key].evaluation_periods == 1])
    error_message = "One event is enough."
  }
}

run "without_audit_and_scan_they_have_no_alarms" {
  command = apply

  module {
    source = "./modules/observability"
  }

  assert {
    condition     = length(setintersection(["payments-touched", "payments-touched-opened", "malware-found"], keys(aws_cloudwatch_metric_alarm.symptom))) == 0
    error_message = "Nothing would ever count in them."
  }
}

run "many_nodes_have_alarms_of_ten_each" {
  command = apply

  module {
    source = "./modules/observability"
  }

  variables {
    cache_node_ids = [for node in range(1, 13) : format("fraud-test-%03d", node)]
    kafka          = { cluster_name = "fraud-test", topic_names = { transaction_stream = "transaction_stream" }, broker_count = 12 }
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.symptom["cache-memory"].metric_query) == 11 && length(aws_cloudwatch_metric_alarm.symptom["cache-memory-2"].metric_query) == 3 && length(aws_cloudwatch_metric_alarm.symptom["broker-disk-2"].metric_query) == 3
    error_message = "An alarm can have ten metrics; more nodes get another alarm."
  }
}

run "serverless_brokers_have_no_disk_to_watch" {
  command = apply

  module {
    source = "./modules/observability"
  }

  variables {
    kafka = { cluster_name = "fraud-test", topic_names = { transaction_stream = "transaction_stream" }, broker_count = 0 }
  }

  assert {
    condition     = length([for key in keys(aws_cloudwatch_metric_alarm.symptom) : key if startswith(key, "broker-")]) == 0
    error_message = "MSK Serverless has no brokers to watch."
  }
}

run "rollback_alarm_needs_no_function" {
  command = apply

  module {
    source = "./modules/observability"
  }

  assert {
    condition     = alltrue([for query in aws_cloudwatch_metric_alarm.ruleset_rollback.metric_query : query.metric[0].dimensions == tomap({ service = "score" }) if length(query.metric) > 0])
    error_message = "It names the stage by its service, so that AppConfig's environment can be created before the functions."
  }
}

run "refuses_a_share_above_a_hundred" {
  command = plan

  module {
    source = "./modules/observability"
  }

  variables {
    thresholds = { error_percent = 101 }
  }

  expect_failures = [var.thresholds]
}

run "refuses_a_threshold_of_zero" {
  command = plan

  module {
    source = "./modules/observability"
  }

  variables {
    thresholds = { offset_lag_seconds = 0 }
  }

  expect_failures = [var.thresholds]
}

run "refuses_a_cache_without_nodes" {
  command = plan

  module {
    source = "./modules/observability"
  }

  variables {
    cache_node_ids = []
  }

  expect_failures = [var.cache_node_ids]
}

run "refuses_more_brokers_than_msk_has" {
  command = plan

  module {
    source = "./modules/observability"
  }

  variables {
    kafka = { cluster_name = "fraud-test", topic_names = { transaction_stream = "transaction_stream" }, broker_count = 31 }
  }

  expect_failures = [var.kafka]
}

run "with_the_canary_silence_is_an_alarm" {
  command = apply

  module {
    source = "./modules/observability"
  }

  variables {
    function_names = { payments = "fraud-test-payments", changes = "fraud-test-changes", ticking = "fraud-test-ticking", canary = "fraud-test-canary" }
  }

  assert {
    condition     = { for name, alarm in aws_cloudwatch_metric_alarm.symptom : name => alarm.treat_missing_data if alarm.treat_missing_data != "notBreaching" } == { for name in ["canary-missing", "digest-delay", "heartbeat-payments", "heartbeat-changes", "heartbeat-ticking"] : name => "breaching" }
    error_message = "Where the canary runs, every stage has work; the canary has an alarm of its own."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.symptom["canary-missing"].alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:page"]) && { for query in aws_cloudwatch_metric_alarm.symptom["canary-missing"].metric_query : query.id => query.metric[0].period if length(query.metric) > 0 } == { rows = 300, alerts = 300 }
    error_message = "A canary that does not come out wakes somebody, judged run by run."
  }
}

run "without_the_canary_silence_is_none" {
  command = apply

  module {
    source = "./modules/observability"
  }

  variables {
    function_names     = { payments = "fraud-test-payments", changes = "fraud-test-changes", ticking = "fraud-test-ticking", canary = "fraud-test-canary" }
    disabled_schedules = ["canary", "ticking"]
  }

  assert {
    condition     = alltrue([for name, alarm in aws_cloudwatch_metric_alarm.symptom : alarm.treat_missing_data == "notBreaching" if name != "digest-delay"]) && !contains(keys(aws_cloudwatch_metric_alarm.symptom), "canary-late")
    error_message = "Where nobody pays, a stage may be silent."
  }
}

run "alarms_of_a_first_apply_change_their_state_silently" {
  command = plan

  module {
    source = "./modules/observability"
  }

  variables {
    enable_notifications = false
  }

  assert {
    condition     = !anytrue([for alarm in aws_cloudwatch_metric_alarm.symptom : alarm.actions_enabled]) && !aws_cloudwatch_metric_alarm.ruleset_rollback.actions_enabled
    error_message = "Nobody is paged for an environment that has no data yet."
  }
}
