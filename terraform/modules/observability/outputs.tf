output "rollback_alarm_arn" {
  description = "ARN of the alarm that takes a ruleset's deployment back."
  value       = aws_cloudwatch_metric_alarm.ruleset_rollback.arn
}

output "page_alarm_arn" {
  description = "ARN of the composite alarm that says whether any page is open."
  value       = aws_cloudwatch_composite_alarm.page.arn
}

output "dashboard_name" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
