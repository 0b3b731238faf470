# Values that several modules share.

locals {
  name          = "${var.project}-${var.environment}"
  functions_dir = "${path.root}/../functions"

  # Environments that share an account must not add up their metrics.
  metrics_namespace = "FraudDetection/${var.environment}"

  # Indexes that an environment may do without.
  disabled_indexes = var.enable_transaction_index ? toset([]) : toset(["transaction_history.by_transaction_id"])

  table_definitions = yamldecode(file("${local.functions_dir}/contract/tables.yaml"))
  tables = {
    for name, table in local.table_definitions : name => merge(table, {
      indexes = { for index, definition in try(table.indexes, {}) : index => definition if !contains(local.disabled_indexes, "${name}.${index}") }
    })
  }

  # Every index of tables.yaml, empty where the environment does without it.
  index_references = merge([
    for name, table in local.table_definitions : {
      for index in keys(try(table.indexes, {})) : "index.${name}.${index}" => contains(local.disabled_indexes, "${name}.${index}") ? "" : index
    }
  ]...)

  # A folder with a function.yaml is a function. One that browsers reach is made only with a console.
  functions = {
    for file in fileset(local.functions_dir, "*/function.yaml") :
    dirname(file) => yamldecode(file("${local.functions_dir}/${file}"))
    if yamldecode(file("${local.functions_dir}/${file}")).trigger.type != "http" || var.console != null
  }

  # The roles of the functions that make tokens of card numbers; a function's role has the function's name.
  token_role_names = [
    for name, function in local.functions : "${local.name}-${replace(name, "_", "-")}"
    if anytrue([for entry in function.access : lookup(entry, "key", "") == "tokenization"])
  ]

  # Lambda's maximum for the age of a record; a topic may keep records longer.
  longest_record_age_seconds = 604800

  # Every topic that a function reads, and the one that ingestion writes. Each environment has its own cluster, so topics have no
  # prefix.
  ingestion_topic = "transaction_stream"
  kafka_topics    = distinct(concat([local.ingestion_topic], [for function in values(local.functions) : function.trigger.topic if function.trigger.type == "kafka"]))

  # The thresholds of modules/observability.
  alarm_thresholds = [
    "alert_latency_ms", "blocked_percent", "broker_disk_percent", "cache_cpu_percent", "cache_memory_percent", "canary_latency_ms",
    "console_latency_ms", "console_slowest_ms", "degraded_percent",
    "digest_delay_ms", "error_percent", "ingestion_batch_ms", "iterator_age_ms", "offset_lag_seconds", "quarantine_percent", "queue_age_seconds", "score_latency_ms",
  ]

  # By folder: the alias that others invoke. Made of names, since a function cannot wait for another one of the same module.
  function_arns = {
    for name in keys(local.functions) : name =>
    "arn:${data.aws_partition.this.partition}:lambda:${data.aws_region.this.name}:${data.aws_caller_identity.this.account_id}:function:${local.name}-${replace(name, "_", "-")}:live"
  }

  # Buckets by interface name.
  buckets = merge(module.ingestion.buckets, {
    audit_heads = { name = module.audit_heads_bucket.name, arn = module.audit_heads_bucket.arn }
    rules       = { name = module.rules_bucket.name, arn = module.rules_bucket.arn }
  })

  # The values of `{ref: ...}` in a function.yaml.
  references = merge(
    { for name, table in module.tables.tables : "table.${name}" => table.name },
    { for name, bucket in local.buckets : "bucket.${name}" => bucket.name },
    { for name, arn in local.function_arns : "function.${name}" => arn },
    local.index_references,
    local.console_references,
    { for name, queue in aws_sqs_queue.source : "queue.${name}" => queue.url },
    {
      "queue.quarantine"           = aws_sqs_queue.quarantine.url
      "queue.canary"               = aws_sqs_queue.canary.url
      "audit_heads.lock_mode"      = var.audit_heads.lock_mode
      "audit_heads.retention_days" = tostring(var.audit_heads.retention_days)
      "topic.fraud_alerts"         = module.alerts.topic_arn
      "topic.retention"            = tostring(min(var.kafka.retention_hours * 3600, local.longest_record_age_seconds))
      "cache.endpoint"             = module.cache.endpoint
      "cache.replication_group"    = module.cache.replication_group_id
      "key.tokenization"           = module.ingestion.tokenization_key_arn
      "kafka.bootstrap_servers"    = module.streaming.bootstrap_servers
      "kafka.security_protocol"    = "SASL_SSL"
      "metrics.namespace"          = local.metrics_namespace
      "rules.application"          = module.rules.application_id
      "rules.environment"          = module.rules.environment_id
      "rules.profile"              = module.rules.profile_name
      "rules.at_once_strategy"     = module.rules.at_once_strategy_id
      "rules.gradual_strategy"     = module.rules.gradual_strategy_id
    },
  )

  # What `access` and `trigger` of a function.yaml may name.
  targets = {
    tables = module.tables.tables
    queues = merge(
      { for name, queue in aws_sqs_queue.source : name => { arn = queue.arn, url = queue.url } },
      { quarantine = { arn = aws_sqs_queue.quarantine.arn }, canary = { arn = aws_sqs_queue.canary.arn } },
    )
    buckets = local.buckets
    topics  = { fraud_alerts = { arn = module.alerts.topic_arn } }
    cache = {
      replication_group_arn = module.cache.replication_group_arn
      user_arn              = module.cache.user_arn
    }
    rules = { configuration_arn = module.rules.configuration_arn, deployment_arns = module.rules.deployment_arns }
    kafka = {
      cluster_arn = module.streaming.cluster_arn
      topic_names = { for topic in local.kafka_topics : topic => topic }
    }
    keys      = { tokenization = { arn = module.ingestion.tokenization_key_arn } }
    functions = { for name, arn in local.function_arns : name => { arn = arn } }
  }
}
