# Alarms of what people see in their browsers, where an environment has a console. API Gateway's metrics of the API and its stage are free.
# Requests that it refused, and requests that the function did not answer, are counted in its access log (modules/http).

locals {
  console_dimensions = { for console in var.console[*] : "console" => { ApiName = console.api_name, Stage = console.stage_name } }

  console_alarms = merge([
    for key, dimensions in local.console_dimensions : {
      console-errors = {
        kind           = "console-errors"
        severity       = "page"
        symptom        = "More than ${var.thresholds.error_percent} % of the console's answers are errors: analysts cannot judge cases."
        threshold      = var.thresholds.error_percent
        period_seconds = 60
        periods        = 10
        datapoints     = 5
        expression     = "IF(requests > 0, 100 * errors / requests, 0)"
        metrics = {
          errors   = { namespace = "AWS/ApiGateway", name = "5XXError", stat = "Sum", dimensions = dimensions }
          requests = { namespace = "AWS/ApiGateway", name = "Count", stat = "Sum", dimensions = dimensions }
        }
      }
      console-not-answered = {
        kind           = "console-not-answered"
        severity       = "ticket"
        symptom        = "API Gateway could not get answers of the console's function: it may not be called, crashes, or times out."
        threshold      = 0
        period_seconds = 300
        periods        = 3
        datapoints     = 2
        expression     = null
        metrics        = { failed = { namespace = var.metrics_namespace, name = var.console.metric_names.not_answered, stat = "Sum", dimensions = {} } }
      }
      console-throttled = {
        kind           = "console-throttled"
        severity       = "ticket"
        symptom        = "API Gateway refuses requests to the console, which come faster than its limits allow."
        threshold      = 0
        period_seconds = 60
        periods        = 15
        datapoints     = 5
        expression     = null
        metrics        = { refused = { namespace = var.metrics_namespace, name = var.console.metric_names.throttled, stat = "Sum", dimensions = {} } }
      }
      console-latency = {
        kind           = "console-latency"
        severity       = "ticket"
        symptom        = "One page in twenty takes longer than ${var.thresholds.console_latency_ms} ms."
        threshold      = var.thresholds.console_latency_ms
        period_seconds = 300
        periods        = 6
        datapoints     = 4
        expression     = null
        metrics        = { latency = { namespace = "AWS/ApiGateway", name = "Latency", stat = "p95", dimensions = dimensions } }
      }
      console-latency-slowest = {
        kind           = "console-latency"
        severity       = "ticket"
        symptom        = "One page in a hundred takes longer than ${var.thresholds.console_slowest_ms} ms; API Gateway waits 29 s."
        threshold      = var.thresholds.console_slowest_ms
        period_seconds = 300
        periods        = 6
        datapoints     = 4
        expression     = null
        metrics        = { latency = { namespace = "AWS/ApiGateway", name = "Latency", stat = "p99", dimensions = dimensions } }
      }
    }
  ]...)

  # A part of the dashboard, or none.
  console_story = [
    for dimensions in values(local.console_dimensions) : {
      text = "## The console answers people's browsers\nThe line is the alarm's threshold for one page in twenty."
      widgets = [
        { title = "Requests", aws = [["AWS/ApiGateway", "Count", dimensions, "Sum"], ["AWS/ApiGateway", "4XXError", dimensions, "Sum"], ["AWS/ApiGateway", "5XXError", dimensions, "Sum"]] },
        { title = "Time of an answer, ms", aws = [for stat in ["p50", "p95", "p99"] : ["AWS/ApiGateway", "Latency", dimensions, stat]], line = var.thresholds.console_latency_ms },
        { title = "Time of it in the function, ms", aws = [for stat in ["p50", "p95", "p99"] : ["AWS/ApiGateway", "IntegrationLatency", dimensions, stat]] },
        { title = "Requests above the limits, and not answered by the function", aws = [for name in values(var.console.metric_names) : [var.metrics_namespace, name, {}, "Sum"]] },
      ]
    }
  ]
}
