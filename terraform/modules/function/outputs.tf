output "function_name" {
  description = "Name in AWS, without a qualifier."
  value       = aws_lambda_function.this.function_name
}

output "alias_arn" {
  description = "ARN of the alias `live`; what is invoked."
  value       = aws_lambda_alias.live.arn
}

output "alias_name" {
  description = "The alias: a qualifier of invocations and permissions."
  value       = aws_lambda_alias.live.name
}

output "role_arn" {
  description = "ARN of the execution role."
  value       = aws_iam_role.this.arn
}

output "role_name" {
  description = "Name of the execution role."
  value       = aws_iam_role.this.name
}

output "dead_letter_queue_arn" {
  description = "ARN of the queue that gets what the function could not do."
  value       = aws_sqs_queue.dead_letter.arn
}

output "dead_letter_queue_name" {
  description = "Name of the queue that gets what the function could not do."
  value       = aws_sqs_queue.dead_letter.name
}

output "dead_letter_queue_url" {
  description = "URL of the queue that gets what the function could not do."
  value       = aws_sqs_queue.dead_letter.url
}

output "log_group_name" {
  description = "Name of the log group."
  value       = aws_cloudwatch_log_group.this.name
}

# A function that is invoked while it is being made needs its rights by then.
output "granted_alias_name" {
  description = "The alias, for whoever invokes the function during an apply: known once the role has the access that function.yaml names."
  value       = aws_lambda_alias.live.name
  depends_on  = [aws_iam_role_policy.access]
}
