output "buckets" {
  description = "Bucket's interface name (landing, quarantine, work) to its name and ARN."
  value       = { for name, bucket in module.buckets : name => { name = bucket.name, arn = bucket.arn } }
}

output "access_log_bucket_name" {
  description = "Name of the bucket that records accesses; its policy allows S3 to deliver them, which S3 checks when another bucket names it."
  value       = module.access_log.name
}

output "landing_url" {
  description = "Where files of transactions are dropped, `s3://<bucket>/transactions/`."
  value       = local.landing_path
}

output "labels_url" {
  description = "Where files of labels are dropped, `s3://<bucket>/labels/`."
  value       = local.labels_path
}

output "quarantine_url" {
  description = "Where the job puts rows of payments that it refused, `s3://<bucket>/ingestion/`."
  value       = local.quarantine_path
}

output "labels_quarantine_url" {
  description = "Where the job puts rows of labels that it refused, `s3://<bucket>/label_files/`."
  value       = local.labels_quarantine_path
}

output "job_name" {
  description = "Name of the Glue job; the dimension `JobName` of its metrics."
  value       = aws_glue_job.this.name
}

output "job_role_name" {
  description = "Name of the job's role, which reads landed files and writes refused rows."
  value       = aws_iam_role.job.name
}

output "log_group_name" {
  description = "Log group of what the job prints: a line of metrics for each batch."
  value       = aws_cloudwatch_log_group.this["output"].name
}

output "keep_running_arn" {
  description = "ARN of the state machine that starts the job if it does not run; the dimension `StateMachineArn` of its metrics."
  value       = module.keep_running.arn
}

output "tokenization_key_arn" {
  description = "ARN of the HMAC key from which the tokens of card numbers are derived."
  value       = aws_kms_key.tokenization.arn
}
