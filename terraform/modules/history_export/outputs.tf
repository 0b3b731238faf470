output "state_machine_arn" {
  description = "ARN of the state machine that exports the history; the dimension `StateMachineArn` of its metrics."
  value       = aws_sfn_state_machine.this.arn
}

output "url" {
  description = "Where the exports are, `s3://<bucket>/exports/`."
  value       = "s3://${aws_s3_bucket.this.bucket}/${local.prefix}"
}
