output "bucket" {
  description = "The bucket of the exports, which hold every row of the tables: its name and its ARN."
  value       = { name = module.bucket.name, arn = module.bucket.arn }
}

output "prefix" {
  description = "Prefix of the exports in the bucket; below it a folder for each run."
  value       = local.prefix
}

output "state_machine_arn" {
  description = "ARN of the state machine."
  value       = module.state_machine.arn
}

output "role_name" {
  description = "Name of the role that exports tables, and in whose name DynamoDB writes the exports."
  value       = module.state_machine.role_name
}
