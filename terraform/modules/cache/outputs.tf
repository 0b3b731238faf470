output "endpoint" {
  description = "The cache as a URL, `rediss://<user>@<host>:<port>`: TLS, and the user that signs in with an IAM token."
  value       = "rediss://${aws_elasticache_user.profiles.user_name}@${local.host}:${local.port}"
}

output "replication_group_id" {
  description = "Id of the replication group, which IAM tokens are signed for."
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
  description = "Ids of the nodes that always stand, the dimension `CacheClusterId` of their metrics; those that autoscaling adds are not among them."
  value       = local.node_ids
}
