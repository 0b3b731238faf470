output "settings" {
  description = "What `make backtest ENV=` needs: the bucket with its prefixes, the state machine, and the job."
  value = {
    bucket            = module.exports.bucket.name
    exports_prefix    = module.exports.prefix
    runs_prefix       = local.runs_prefix
    state_machine_arn = module.exports.state_machine_arn
    job_name          = aws_glue_job.this.name
  }
}

output "bucket_arn" {
  description = "ARN of the bucket of the exports, which hold every row of the tables."
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
