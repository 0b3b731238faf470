# Alarms of what does not happen. Without the canary a stage may be silent for hours because nobody pays; with it each stage has work every
# few minutes, so silence means that it, or something before it, is dead. There missing data is the problem.

locals {
  heartbeat_alarms = merge(
    {
      for function, trigger in local.schedules : "canary-missing" => {
        kind           = "canary-missing"
        severity       = "page"
        symptom        = "In two of three runs the canary's payment had no row or no alert after ${trigger.every_minutes} minutes, or the canary did not run: payments may be undecided, and nobody alerted."
        threshold      = 0
        period_seconds = 60 * trigger.every_minutes
        periods        = 3
        datapoints     = 2
        expression     = "rows + alerts"
        missing        = "breaching"
        metrics = {
          rows   = { namespace = var.metrics_namespace, name = "CanaryRowsMissing", stat = "Maximum", dimensions = { service = "canary" } }
          alerts = { namespace = var.metrics_namespace, name = "CanaryAlertsMissing", stat = "Maximum", dimensions = { service = "canary" } }
        }
      } if function == "canary"
    },
    {
      for function, trigger in local.schedules : "canary-late" => {
        kind           = "canary-late"
        severity       = "ticket"
        symptom        = "The canary's payment takes longer than ${var.thresholds.canary_latency_ms / 1000} s from its file to its alert."
        threshold      = var.thresholds.canary_latency_ms
        period_seconds = 60 * trigger.every_minutes
        periods        = 3
        datapoints     = 3
        expression     = null
        missing        = "notBreaching" # an alert that does not come is the other alarm's
        metrics        = { latency = { namespace = var.metrics_namespace, name = "CanaryLatencyMs", stat = "Maximum", dimensions = { service = "canary" } } }
      } if function == "canary"
    },
    {
      for function in local.stages : "heartbeat-${function}" => {
        kind           = "heartbeat"
        severity       = "page"
        symptom        = "${var.function_names[function]} was not invoked for 15 minutes, although the canary pays: it, or something before it, is dead."
        threshold      = 0
        period_seconds = 300
        periods        = 3
        datapoints     = 3
        expression     = "IF(invocations > 0, 0, 1)"
        missing        = "breaching"
        metrics        = { invocations = { namespace = "AWS/Lambda", name = "Invocations", stat = "Sum", dimensions = { FunctionName = var.function_names[function] } } }
      } if local.has_canary
    },
    {
      # The canary itself is watched by what it measures.
      for function, trigger in local.schedules : "heartbeat-${function}" => {
        kind           = "heartbeat"
        severity       = "ticket"
        symptom        = "${var.function_names[function]} was not invoked for ${3 * trigger.every_minutes} minutes; its schedule invokes it every ${trigger.every_minutes}."
        threshold      = 0
        period_seconds = 60 * trigger.every_minutes
        periods        = 3
        datapoints     = 3
        expression     = "IF(invocations > 0, 0, 1)"
        missing        = "breaching"
        metrics        = { invocations = { namespace = "AWS/Lambda", name = "Invocations", stat = "Sum", dimensions = { FunctionName = var.function_names[function] } } }
      } if function != "canary"
    },
  )
}
