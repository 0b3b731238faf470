output "url" {
  description = "Where people open it, with the stage's path and without a slash at the end."
  value       = local.url
}

output "api_name" {
  description = "Name of the API, the dimension ApiName of its metrics."
  value       = aws_api_gateway_rest_api.this.name
}

output "stage_name" {
  description = "Name of the stage, the first part of every path and the dimension Stage of its metrics."
  value       = local.stage
}

output "metric_names" {
  description = "Metrics of the access log: requests above the limits (`throttled`), and requests that the function did not answer (`not_answered`)."
  value       = { for name, filter in aws_cloudwatch_log_metric_filter.this : name => one(filter.metric_transformation[*].name) }
}
