output "data_key_arn" {
  description = "ARN of the key of everything that stores payments: tables, brokers, cache, buckets, queues, the Glue job."
  value       = aws_kms_key.this["data"].arn
}

output "alerts_key_arn" {
  description = "ARN of the key of the SNS topics and the queues behind them; CloudWatch alarms and SNS may use it."
  value       = aws_kms_key.this["alerts"].arn
}

output "logs_key_arn" {
  description = "ARN of the key of the log groups; CloudWatch Logs may use it for this account's groups."
  value       = aws_kms_key.this["logs"].arn
}
