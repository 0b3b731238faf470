# The alarms, and the dashboard to look at then. An alarm is named after a symptom and its runbook: alarm `offset-lag-score` is of the
# kind `offset-lag`, which docs/runbooks/offset-lag.md describes. A test checks that every alarm has its runbook, and that the metrics
# below are those that the functions emit.

data "aws_region" "current" {}

locals {
  specs = { for function in keys(var.function_names) : function => yamldecode(file("${var.functions_dir}/${function}/function.yaml")) }

  kafka_triggers  = { for function, spec in local.specs : function => spec.trigger if spec.trigger.type == "kafka" }
  stream_triggers = { for function, spec in local.specs : function => spec.trigger if spec.trigger.type == "dynamodb_stream" }
  queue_triggers  = { for function, spec in local.specs : function => spec.trigger if spec.trigger.type == "queue" }
  schedules       = { for function, spec in local.specs : function => spec.trigger if spec.trigger.type == "schedule" && !contains(var.disabled_schedules, function) }
  has_canary      = contains(keys(local.schedules), "canary")
  stages          = setunion(keys(local.kafka_triggers), keys(local.stream_triggers)) # what a payment passes through, and so the canary's

  # An alarm's expression can have ten metrics. More nodes get another alarm of the same kind, `cache-cpu-2`.
  cache_chunks  = { for index, nodes in chunklist(sort(var.cache_node_ids), 10) : index == 0 ? "" : "-${index + 1}" => nodes }
  broker_chunks = { for index, brokers in chunklist(range(1, var.kafka.broker_count + 1), 10) : index == 0 ? "" : "-${index + 1}" => brokers }

  alarms = merge(local.function_alarms, local.transaction_alarms, local.resource_alarms, local.access_alarms, local.heartbeat_alarms, local.console_alarms)
}

resource "aws_cloudwatch_metric_alarm" "symptom" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.symptom} Runbook: ${var.runbook_base}/${each.value.kind}.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.datapoints
  # Missing data is no problem of most alarms: nobody pays. Of those that say so it is the problem (alarms_heartbeat.tf).
  treat_missing_data = try(each.value.missing, "notBreaching")
  # Each alarm notifies on its own. Behind a composite alarm the second one would be silent: actions run when an alarm changes to
  # ALARM from another state (PutCompositeAlarm, AlarmActions), and a composite alarm that is in ALARM already does not change.
  actions_enabled = var.enable_notifications
  alarm_actions   = var.notification_topic_arns[each.value.severity]
  ok_actions      = var.notification_topic_arns[each.value.severity]

  dynamic "metric_query" {
    for_each = each.value.metrics
    content {
      id          = metric_query.key
      return_data = each.value.expression == null
      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.name
        dimensions  = metric_query.value.dimensions
        stat        = metric_query.value.stat
        period      = each.value.period_seconds
      }
    }
  }

  dynamic "metric_query" {
    for_each = each.value.expression == null ? [] : [each.value.expression]
    content {
      id          = "watched"
      expression  = metric_query.value
      label       = each.value.kind
      return_data = true
    }
  }
}

# The only alarm that does more than notify: AppConfig rolls a ruleset back while it is deployed or baked. It names functions by their
# service only, so that it can be created before them.
resource "aws_cloudwatch_metric_alarm" "ruleset_rollback" {
  alarm_name          = "${var.name}-ruleset-rollback"
  alarm_description   = "More payments are blocked, or more rules fail, than with any sound ruleset: AppConfig rolls back a ruleset that is being deployed. Runbook: ${var.runbook_base}/ruleset-rollback.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.thresholds.blocked_percent
  evaluation_periods  = 3
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  actions_enabled     = var.enable_notifications
  alarm_actions       = var.notification_topic_arns.ticket
  ok_actions          = var.notification_topic_arns.ticket

  dynamic "metric_query" {
    for_each = { scored = "TransactionsScored", blocked = "TransactionsBlocked", failures = "RuleFailures" }
    content {
      id          = metric_query.key
      return_data = false
      metric {
        namespace   = var.metrics_namespace
        metric_name = metric_query.value
        dimensions  = { service = "score" }
        stat        = "Sum"
        period      = 60
      }
    }
  }

  metric_query {
    id = "watched"
    # Below twenty payments a minute a share means nothing.
    expression  = "IF(scored >= 20, MAX([100 * FILL(blocked, 0) / scored, 100 * FILL(failures, 0) / scored]), 0)"
    label       = "ruleset-rollback"
    return_data = true
  }
}

locals {
  alarm_names_by_severity = {
    page   = [for key, alarm in local.alarms : "${var.name}-${key}" if alarm.severity == "page"]
    ticket = concat([for key, alarm in local.alarms : "${var.name}-${key}" if alarm.severity == "ticket"], ["${var.name}-ruleset-rollback"])
  }
}

# For the overview: is anything wrong now, at the dashboard's head and for whoever deploys. They notify nobody, and silence nothing.
resource "aws_cloudwatch_composite_alarm" "page" {
  alarm_name        = "${var.name}-page"
  alarm_description = "Something is wrong that customers or fraud analysts feel now. Runbook: ${var.runbook_base}/page.md"
  alarm_rule        = join(" OR ", [for name in local.alarm_names_by_severity.page : "ALARM(\"${name}\")"])

  depends_on = [aws_cloudwatch_metric_alarm.symptom]
}

resource "aws_cloudwatch_composite_alarm" "ticket" {
  alarm_name        = "${var.name}-ticket"
  alarm_description = "Something will become a page if nobody acts. Runbook: ${var.runbook_base}/ticket.md"
  alarm_rule        = join(" OR ", [for name in local.alarm_names_by_severity.ticket : "ALARM(\"${name}\")"])

  depends_on = [aws_cloudwatch_metric_alarm.symptom, aws_cloudwatch_metric_alarm.ruleset_rollback]
}
