# What is recorded of requests: who asked when, how it ended and how long it took. Neither path nor query: a path may name a case, and
# what somebody looked at is in the audit trail. API Gateway writes with the account's role (bootstrap, `enable_api_gateway_logs`).

locals {
  log_format = jsonencode({
    request_id             = "$context.requestId"
    at                     = "$context.requestTime"
    ip                     = "$context.identity.sourceIp"
    method                 = "$context.httpMethod"
    status                 = "$context.status"
    error                  = "$context.error.responseType" # of an answer that API Gateway made itself, else "-"
    response_bytes         = "$context.responseLength"
    latency_ms             = "$context.responseLatency"
    integration_latency_ms = "$context.integrationLatency"
  })

  # CloudWatch has no metric for either of a REST API. Refusals by the limits are among all 4XX errors. Requests that the function did not
  # answer are among all 5XX errors, with the function's own.
  filters = {
    throttled    = "{ $.status = \"429\" }"
    not_answered = "{ $.status = \"5*\" && $.error != \"-\" }"
  }
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_key_arn
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each = local.filters

  name           = "${var.name}-${replace(each.key, "_", "-")}"
  log_group_name = aws_cloudwatch_log_group.access.name
  pattern        = each.value

  metric_transformation {
    name      = "console-${replace(each.key, "_", "-")}"
    namespace = var.metrics_namespace
    value     = "1"
  }
}
