output "cluster_arn" {
  description = "ARN of the cluster, provisioned or serverless."
  value       = local.cluster_arn
}

output "cluster_name" {
  description = "Name of the cluster; the dimension `Cluster Name` of its metrics."
  value       = var.name
}

output "bootstrap_servers" {
  description = "Brokers as `host:port,host:port`, for clients that sign in with IAM over TLS."
  value       = local.bootstrap_servers
}

output "topic_arn_prefix" {
  description = "Prefix of a topic's ARN; its name follows."
  value       = "${replace(local.cluster_arn, ":cluster/", ":topic/")}/"
}

output "group_arn_prefix" {
  description = "Prefix of a consumer group's ARN; its name follows."
  value       = "${replace(local.cluster_arn, ":cluster/", ":group/")}/"
}

output "replication_factor" {
  description = "Replicas of a topic: one in each zone."
  value       = 3
}

output "broker_count" {
  description = "Number of brokers in all zones; 0 for MSK Serverless, which has none."
  value       = local.broker_count
}
