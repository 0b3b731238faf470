output "rollback_alarm_arn" {
  description = "ARN of the alarm that rolls back a ruleset's deployment."
  value       = aws_cloudwatch_metric_alarm.ruleset_rollback.arn
}

output "page_alarm_arn" {
  description = "ARN of the composite alarm that is in alarm while any page is open."
  value       = aws_cloudwatch_composite_alarm.page.arn
}

output "dashboard_name" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
