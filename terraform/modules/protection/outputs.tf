output "role_names" {
  description = "Names of the roles that read payments to scan and to copy them."
  value       = [for role in concat(values(aws_iam_role.scan), values(aws_iam_role.backup)) : role.name]
}

output "threat_rule_name" {
  description = "Name of EventBridge's rule for landed files with malware; null if they are not scanned."
  value       = one(values(aws_cloudwatch_event_rule.threat)[*].name)
}
