# What people and make targets ask for; `make output ENV=dev` shows all of it.

output "landing_url" {
  description = "Where files of transactions are dropped."
  value       = module.ingestion.landing_url
}

output "kafka_bootstrap_servers" {
  description = "Brokers, for producers within the network that sign in with IAM."
  value       = module.streaming.bootstrap_servers
}

output "kafka_cluster_arn" {
  description = "ARN of the cluster, for the policies of producers of one's own, and the runbook on its upgrade."
  value       = module.streaming.cluster_arn
}

output "alert_topic_arn" {
  description = "ARN of the topic of fraud alerts, for subscribers in other accounts."
  value       = module.alerts.topic_arn
}

output "dashboard_name" {
  description = "CloudWatch dashboard that tells the story from transaction to alert."
  value       = module.observability.dashboard_name
}

output "page_alarm_arn" {
  description = "ARN of the composite alarm that says whether anything pages; what on-call and deployments look at first."
  value       = module.observability.page_alarm_arn
}

output "function_names" {
  description = "Function's folder to its name in AWS, for runbooks that stop, look at or take back one."
  value       = { for name, function in module.functions : name => function.function_name }
}

output "dead_letter_queue_urls" {
  description = "What `make redrive QUEUE=...` takes: function's folder, or topic and subscription, to the URL of the queue of what failed."
  value = merge(
    { for name, function in module.functions : name => function.dead_letter_queue_url },
    { for name, queue in module.alerts.redrive_queues : "alerts-${name}" => queue.url },
    merge([for severity, topic in module.operations : { for name, queue in topic.redrive_queues : "${severity}-${name}" => queue.url }]...),
  )
}

output "quarantine_queue_url" {
  description = "URL of the queue of records that were no valid payments."
  value       = aws_sqs_queue.quarantine.url
}

output "quarantine_url" {
  description = "Where ingestion puts rows that it refused."
  value       = module.ingestion.quarantine_url
}

output "table_names" {
  description = "Table's interface name to its name, for the runbook that restores one."
  value       = { for name, table in module.tables.tables : name => table.name }
}

output "cache_replication_group_id" {
  description = "Id of the cache, for the runbooks on its failover and upgrade."
  value       = module.cache.replication_group_id
}

output "glue_job_name" {
  description = "The streaming job, for runbooks that stop it or look at its runs."
  value       = module.ingestion.job_name
}

output "rules" {
  description = "AppConfig's ids that `make rules-deploy` deploys with: application, environment, profile, strategy."
  value = {
    application_id         = module.rules.application_id
    environment_id         = module.rules.environment_id
    profile_id             = module.rules.profile_id
    deployment_strategy_id = module.rules.deployment_strategy_id
  }
}
