# What people and make targets read; `make output ENV=dev` shows all of it.

output "landing_url" {
  description = "Bucket for files of transactions."
  value       = module.ingestion.landing_url
}

output "labels_landing_url" {
  description = "Bucket for files of labels."
  value       = module.ingestion.labels_url
}

output "kafka_bootstrap_servers" {
  description = "Brokers, for producers inside the network, which sign in with IAM."
  value       = module.streaming.bootstrap_servers
}

output "producer_role_arns" {
  description = "By producer: ARN of the role that it takes on to write to the topic."
  value       = module.producers.role_arns
}

output "label_producer_role_arns" {
  description = "By producer of labels: ARN of the role that it takes on to send them."
  value       = module.producers.label_role_arns
}

output "labels_queue_url" {
  description = "URL of the queue of labels, for producers and `make label`."
  value       = aws_sqs_queue.source["labels"].url
}

output "kafka_client_security_group_id" {
  description = "Security group of a producer inside the network; the brokers accept its connections."
  value       = module.network.security_group_id_by_role["kafka_clients"]
}

output "kafka_cluster_arn" {
  description = "ARN of the cluster, for the runbook of its upgrade."
  value       = module.streaming.cluster_arn
}

output "alert_topic_arn" {
  description = "ARN of the topic of fraud alerts, for subscribers in other accounts."
  value       = module.alerts.topic_arn
}

output "dashboard_name" {
  description = "CloudWatch dashboard, from transaction to alert."
  value       = module.observability.dashboard_name
}

output "page_alarm_arn" {
  description = "ARN of the composite alarm that is in alarm while any page is open; on-call and deployments check it first."
  value       = module.observability.page_alarm_arn
}

output "function_names" {
  description = "By the function's folder: its name in AWS, for runbooks that stop, inspect or roll back one."
  value       = { for name, function in module.functions : name => function.function_name }
}

output "dead_letter_queue_urls" {
  description = "By the name that `make redrive QUEUE=...` accepts (a function's folder, or topic and subscription): URL of the dead-letter queue."
  value = merge(
    { for name, function in module.functions : name => function.dead_letter_queue_url if function.dead_letter_queue_name != null },
    { for name, queue in module.alerts.redrive_queues : "alerts-${name}" => queue.url },
    merge([for severity, topic in module.operations : { for name, queue in topic.redrive_queues : "${severity}-${name}" => queue.url }]...),
  )
}

output "quarantine_queue_url" {
  description = "URL of the queue of quarantined records."
  value       = aws_sqs_queue.quarantine.url
}

output "quarantine_url" {
  description = "Bucket of the rows of payments that ingestion quarantined."
  value       = module.ingestion.quarantine_url
}

output "labels_quarantine_url" {
  description = "Bucket of the rows of labels that ingestion quarantined."
  value       = module.ingestion.labels_quarantine_url
}

output "table_names" {
  description = "By the table's interface name: its name, for the runbook that restores one."
  value       = { for name, table in module.tables.tables : name => table.name }
}

output "history_export_url" {
  description = "Bucket of the exports of the history, for the runbook that restores a table and for training."
  value       = module.history_export.url
}

output "cache_replication_group_id" {
  description = "Id of the cache, for the runbooks of its failover and upgrade."
  value       = module.cache.replication_group_id
}

output "glue_job_name" {
  description = "Name of the streaming job, for runbooks that stop it or check its runs."
  value       = module.ingestion.job_name
}

output "rules" {
  description = "The bucket of rulesets, proposals and models, for `make rules-deploy`; AppConfig's ids of application, environment, profile and gradual strategy, for the runbooks."
  value = {
    bucket                 = module.rules_bucket.name
    application_id         = module.rules.application_id
    environment_id         = module.rules.environment_id
    profile_id             = module.rules.profile_id
    deployment_strategy_id = module.rules.gradual_strategy_id
  }
}

output "list_editors_role_arn" {
  description = "ARN of the role that asks for tokens of card numbers; null where list_editor_arns is empty."
  value       = one(aws_iam_role.list_editors[*].arn)
}

output "training" {
  description = "What `make train ENV=` needs; null where `training` is null."
  value       = one(module.training[*].settings)
}

output "backtest" {
  description = "What `make backtest ENV=` needs; null where `backtest` is null."
  value       = one(module.backtest[*].settings)
}

output "console_url" {
  description = "Where people open the console; null where `console` is null."
  value       = one(module.http[*].url)
}

output "console_user_pool_id" {
  description = "Id of the user pool to which an administrator invites people; null where `console` is null."
  value       = one(module.sign_in[*].user_pool_id)
}
