output "arn" {
  description = "ARN of the state machine; the dimension `StateMachineArn` of its metrics."
  value       = aws_sfn_state_machine.this.arn
}

output "role_name" {
  description = "Name of the role in whose name it calls."
  value       = aws_iam_role.this.name
}

output "rule_names" {
  description = "Names of the rules that run it."
  value       = [for rule in aws_cloudwatch_event_rule.this : rule.name]
}
