# Alarms of every function: a new folder gets them without a change here.

locals {
  lag_dimensions = {
    for function, trigger in local.kafka_triggers : function => { "Cluster Name" = var.kafka.cluster_name, "Consumer Group" = trigger.consumer_group, Topic = var.kafka.topic_names[trigger.topic] }
  }

  function_alarms = merge(
    {
      for function, name in var.function_names : "function-errors-${function}" => {
        kind           = "function-errors"
        severity       = contains(local.stages, function) ? "page" : "ticket"
        symptom        = "More than ${var.thresholds.error_percent} % of the invocations of ${name} fail or time out."
        threshold      = var.thresholds.error_percent
        period_seconds = 60
        periods        = 5
        datapoints     = 3
        expression     = "IF(invocations > 0, 100 * errors / invocations, 0)"
        metrics = {
          errors      = { namespace = "AWS/Lambda", name = "Errors", stat = "Sum", dimensions = { FunctionName = name } }
          invocations = { namespace = "AWS/Lambda", name = "Invocations", stat = "Sum", dimensions = { FunctionName = name } }
        }
      }
    },
    {
      for function, name in var.function_names : "function-throttles-${function}" => {
        kind           = "function-throttles"
        severity       = "ticket"
        symptom        = "Invocations of ${name} are throttled because all of its ${local.specs[function].reserved_concurrency} reserved executions are in use."
        threshold      = 0
        period_seconds = 60
        periods        = 15
        datapoints     = 10
        expression     = null
        metrics        = { throttles = { namespace = "AWS/Lambda", name = "Throttles", stat = "Sum", dimensions = { FunctionName = name } } }
      }
    },
    {
      for function, trigger in local.kafka_triggers : "offset-lag-${function}" => {
        kind           = "offset-lag"
        severity       = "page"
        symptom        = "The consumer group ${trigger.consumer_group} is more than ${var.thresholds.offset_lag_seconds} s behind on ${var.kafka.topic_names[trigger.topic]}, or records wait and it receives none: payments are decided late."
        threshold      = var.thresholds.offset_lag_seconds
        period_seconds = 60
        periods        = 7
        datapoints     = 5
        # Seconds, whatever the traffic: 50,000 records are five seconds on a busy day and half a day in dev. MSK estimates how long the
        # group needs for the records that wait; of a group that reads nothing there is no such time, so that counts as too late. Not
        # filled is `waiting`, so a minute that MSK has not reported yet is no data point, and not a good one.
        expression = "IF(waiting > 0, IF(FILL(received, 0) > 0, FILL(estimate, 0), ${var.thresholds.offset_lag_seconds + 1}), 0)"
        metrics = {
          waiting  = { namespace = "AWS/Kafka", name = "SumOffsetLag", stat = "Maximum", dimensions = local.lag_dimensions[function] }
          estimate = { namespace = "AWS/Kafka", name = "EstimatedMaxTimeLag", stat = "Maximum", dimensions = local.lag_dimensions[function] }
          received = { namespace = var.metrics_namespace, name = "RecordsReceived", stat = "Sum", dimensions = { service = function } }
        }
      }
    },
    {
      for function, trigger in local.stream_triggers : "iterator-age-${function}" => {
        kind           = "iterator-age"
        severity       = "page"
        symptom        = "${var.function_names[function]} is more than ${var.thresholds.iterator_age_ms / 1000} s behind the stream of ${var.table_names[trigger.table]}. A stream keeps 24 hours."
        threshold      = var.thresholds.iterator_age_ms
        period_seconds = 60
        periods        = 5
        datapoints     = 5
        expression     = null
        metrics        = { age = { namespace = "AWS/Lambda", name = "IteratorAge", stat = "Maximum", dimensions = { FunctionName = var.function_names[function] } } }
      }
    },
    {
      for function, trigger in local.queue_triggers : "queue-age-${function}" => {
        kind           = "queue-age"
        severity       = "ticket"
        symptom        = "The oldest message of ${var.queue_names[trigger.queue]} has waited for more than ${var.thresholds.queue_age_seconds} s: ${var.function_names[function]} does not keep up, or does not run."
        threshold      = var.thresholds.queue_age_seconds
        period_seconds = 60
        periods        = 10
        datapoints     = 5
        expression     = null
        metrics        = { age = { namespace = "AWS/SQS", name = "ApproximateAgeOfOldestMessage", stat = "Maximum", dimensions = { QueueName = var.queue_names[trigger.queue] } } }
      }
    },
    {
      for function in setunion(local.stages, keys(local.queue_triggers)) : "records-failed-${function}" => {
        kind           = "records-failed"
        severity       = "ticket"
        symptom        = "More than ${var.thresholds.error_percent} % of the records that ${var.function_names[function]} receives must be delivered again."
        threshold      = var.thresholds.error_percent
        period_seconds = 60
        periods        = 10
        datapoints     = 5
        expression     = "IF(received > 0, 100 * FILL(failed, 0) / received, 0)"
        metrics = {
          failed   = { namespace = var.metrics_namespace, name = "RecordsFailed", stat = "Sum", dimensions = { service = function } }
          received = { namespace = var.metrics_namespace, name = "RecordsReceived", stat = "Sum", dimensions = { service = function } }
        }
      }
    },
    {
      for queue, name in var.dead_letter_queue_names : "dead-letters-${queue}" => {
        kind           = "dead-letters"
        severity       = "page"
        symptom        = "Messages were dead-lettered to ${name}; SQS keeps them for 14 days."
        threshold      = 0
        period_seconds = 60
        periods        = 1
        datapoints     = 1
        expression     = null
        metrics        = { depth = { namespace = "AWS/SQS", name = "ApproximateNumberOfMessagesVisible", stat = "Maximum", dimensions = { QueueName = name } } }
      }
    },
    # Without permission EventBridge drops an event at once: the object is in the bucket, and no message says so.
    {
      for function in keys(local.stream_triggers) : "dead-letters-unannounced-${function}" => {
        kind           = "dead-letters"
        severity       = "page"
        symptom        = "Records were dead-lettered to the bucket of ${var.function_names[function]}, and EventBridge could not announce them in its queue."
        threshold      = 0
        period_seconds = 300
        periods        = 1
        datapoints     = 1
        expression     = null
        metrics        = { failed = { namespace = "AWS/Events", name = "FailedInvocations", stat = "Sum", dimensions = { RuleName = "${var.function_names[function]}-dead-letter" } } }
      }
    },
  )
}
