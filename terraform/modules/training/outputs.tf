output "settings" {
  description = "What `make train ENV=` needs: the trainers' role, the state machine, and the places in the buckets."
  value = {
    trainers_role_arn = aws_iam_role.trainers.arn
    state_machine_arn = module.exports.state_machine_arn
    job_name_prefix   = var.name
    bucket            = module.exports.bucket.name
    code_prefix       = local.code_prefix
    proposed_url      = "s3://${var.rules_bucket.name}/${local.proposed_prefix}"
  }
}

output "bucket_arn" {
  description = "ARN of the bucket of the exports that a training reads, which hold every row of the tables."
  value       = module.exports.bucket.arn
}

output "role_names" {
  description = "Names of the roles that touch the exports: the state machine's, in whose name DynamoDB writes them, and the job's, which reads them."
  value       = [module.exports.role_name, aws_iam_role.job.name]
}

output "exporting_role_name" {
  description = "Name of the role that may export tables: the state machine's."
  value       = module.exports.role_name
}
