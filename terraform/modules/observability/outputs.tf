output "rollback_alarm_arn" {
  description = "ARN of the alarm that takes a ruleset's deployment back."
  value       = aws_cloudwatch_metric_alarm.ruleset_rollback.arn
}

output "severity_alarm_names" {
  description = "Severity to the name of its composite alarm."
  value       = { for severity, alarm in aws_cloudwatch_composite_alarm.severity : severity => alarm.alarm_name }
}

output "dashboard_name" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
