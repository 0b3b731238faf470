output "metric_names" {
  description = "Metrics that count events: `touched`, reads and writes of payments, and `opened`, changes that could open them."
  value       = { for event, filter in aws_cloudwatch_log_metric_filter.this : event => one(filter.metric_transformation).name }
}
