output "endpoint" {
  description = "URL of the cache, `rediss://<user>@<host>:<port>`: TLS, and the user that signs in with an IAM token."
  value       = "rediss://${aws_elasticache_user.profiles.user_name}@${local.host}:${local.port}"
}

output "replication_group_id" {
  description = "Id of the replication group, for which IAM tokens are signed."
  value       = aws_elasticache_replication_group.this.id
}

output "replication_group_arn" {
  description = "ARN of the replication group, for `elasticache:Connect`."
  value       = aws_elasticache_replication_group.this.arn
}

output "user_arn" {
  description = "ARN of the user that functions sign in as, for `elasticache:Connect`."
  value       = aws_elasticache_user.profiles.arn
}

output "node_ids" {
  description = "Ids of the permanent nodes, the dimension `CacheClusterId` of their metrics; without those that autoscaling adds."
  value       = local.node_ids
}
