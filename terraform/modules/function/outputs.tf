output "function_name" {
  description = "Name in AWS, without a qualifier."
  value       = aws_lambda_function.this.function_name
}

output "alias_arn" {
  description = "ARN of the alias `live`, which callers invoke."
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

output "dead_letter_queue_name" {
  description = "Name of the function's dead-letter queue; null if its failed requests are discarded, so that nothing fills the queue."
  value       = local.keeps_requests ? aws_sqs_queue.dead_letter.name : null
}

output "dead_letter_queue_url" {
  description = "URL of the function's dead-letter queue."
  value       = aws_sqs_queue.dead_letter.url
}

output "dead_letter_bucket_arns" {
  description = "ARN of the function's dead-letter bucket in a list, empty for a function without one."
  value       = values(module.dead_letter_bucket)[*].arn
}

output "log_group_name" {
  description = "Name of the log group."
  value       = aws_cloudwatch_log_group.this.name
}

# A function that is invoked during an apply needs its rights by then.
output "granted_alias_name" {
  description = "The alias, for callers during an apply: known only after the role has the access of function.yaml."
  value       = aws_lambda_alias.live.name
  depends_on  = [aws_iam_role_policy.access]
}

output "is_scheduled" {
  description = "Whether a schedule invokes the function; false where it has none, and where it is switched off."
  value       = length(local.schedules) > 0 && var.enable_schedule
}
