output "state_machine_arn" {
  description = "ARN of the state machine that exports the history; the dimension `StateMachineArn` of its metrics."
  value       = module.state_machine.arn
}

output "bucket_arn" {
  description = "ARN of the bucket of the exports, which hold every row of the table."
  value       = module.bucket.arn
}

output "role_name" {
  description = "Name of the role that exports: DynamoDB writes the exports in its name."
  value       = module.state_machine.role_name
}

output "url" {
  description = "Where the exports are, `s3://<bucket>/exports/`."
  value       = "s3://${module.bucket.name}/${local.prefix}"
}
