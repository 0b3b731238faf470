# Alarms of what the stages depend on: brokers, cache, tables, the alert topic, the Glue job.

locals {
  resource_alarms = merge(
    {
      alert-delivery = {
        kind           = "alert-delivery"
        severity       = "page"
        symptom        = "SNS could not deliver alerts to a subscriber of ${var.alert_topic_name}; the messages are in the subscription's redrive queue."
        threshold      = 0
        period_seconds = 300
        periods        = 1
        datapoints     = 1
        expression     = null
        metrics        = { failed = { namespace = "AWS/SNS", name = "NumberOfNotificationsFailed", stat = "Sum", dimensions = { TopicName = var.alert_topic_name } } }
      }
      ingestion-failed = {
        kind           = "ingestion-failed"
        severity       = "page"
        symptom        = "The streaming job ${var.glue_job_name} ended with an error. It is started again within minutes; landed files wait until then."
        threshold      = 0
        period_seconds = 60
        periods        = 1
        datapoints     = 1
        expression     = null
        metrics        = { errors = { namespace = "Glue", name = "glue.error.ALL", stat = "Sum", dimensions = { JobName = var.glue_job_name, JobRunId = "ALL", Type = "count", ObservabilityGroup = "error" } } }
      }
      ingestion-failed-restart = {
        kind           = "ingestion-failed"
        severity       = "page"
        symptom        = "The streaming job ${var.glue_job_name} could not be started twice within 15 minutes; if it does not run, landed files wait."
        threshold      = 0
        period_seconds = 300
        periods        = 3
        datapoints     = 2
        expression     = null
        metrics        = { failed = { namespace = "AWS/States", name = "ExecutionsFailed", stat = "Sum", dimensions = { StateMachineArn = var.keep_running_arn } } }
      }
    },
    {
      history-export = {
        kind           = "history-export"
        severity       = "ticket"
        symptom        = "An export of the history failed. Each row is in two exports, so the next one makes up for it; two in a row leave rows out."
        threshold      = 0
        period_seconds = 3600
        periods        = 1
        datapoints     = 1
        expression     = "failed + late"
        metrics = {
          failed = { namespace = "AWS/States", name = "ExecutionsFailed", stat = "Sum", dimensions = { StateMachineArn = var.history_export_arn } }
          late   = { namespace = "AWS/States", name = "ExecutionsTimedOut", stat = "Sum", dimensions = { StateMachineArn = var.history_export_arn } }
        }
      }
    },
    {
      for table, name in var.table_names : "table-throttles-${table}" => {
        kind           = "table-throttles"
        severity       = "ticket"
        symptom        = "DynamoDB throttles requests to ${name}; functions wait and retry."
        threshold      = 0
        period_seconds = 60
        periods        = 10
        datapoints     = 5
        expression     = "FILL(reads, 0) + FILL(writes, 0)"
        metrics = {
          reads  = { namespace = "AWS/DynamoDB", name = "ReadThrottleEvents", stat = "Sum", dimensions = { TableName = name } }
          writes = { namespace = "AWS/DynamoDB", name = "WriteThrottleEvents", stat = "Sum", dimensions = { TableName = name } }
        }
      }
    },
    {
      for suffix, nodes in local.cache_chunks : "cache-cpu${suffix}" => {
        kind           = "cache-cpu"
        severity       = "ticket"
        symptom        = "The command thread of a cache node is busy for more than ${var.thresholds.cache_cpu_percent} % of the time; beyond 90 % every batch waits for it."
        threshold      = var.thresholds.cache_cpu_percent
        period_seconds = 60
        periods        = 10
        datapoints     = 10
        expression     = "MAX([${join(", ", [for index, node in nodes : "node${index}"])}])"
        metrics        = { for index, node in nodes : "node${index}" => { namespace = "AWS/ElastiCache", name = "EngineCPUUtilization", stat = "Average", dimensions = { CacheClusterId = node } } }
      }
    },
    {
      for suffix, nodes in local.cache_chunks : "cache-memory${suffix}" => {
        kind           = "cache-memory"
        severity       = "ticket"
        symptom        = "A cache node uses more than ${var.thresholds.cache_memory_percent} % of its memory; at 100 % it evicts profiles."
        threshold      = var.thresholds.cache_memory_percent
        period_seconds = 60
        periods        = 15
        datapoints     = 15
        expression     = "MAX([${join(", ", [for index, node in nodes : "node${index}"])}])"
        metrics        = { for index, node in nodes : "node${index}" => { namespace = "AWS/ElastiCache", name = "DatabaseMemoryUsagePercentage", stat = "Maximum", dimensions = { CacheClusterId = node } } }
      }
    },
    {
      for suffix, nodes in local.cache_chunks : "cache-evictions${suffix}" => {
        kind           = "cache-evictions"
        severity       = "ticket"
        symptom        = "The cache is full and evicts profiles; each is rebuilt from history when its user pays again."
        threshold      = 0
        period_seconds = 60
        periods        = 5
        datapoints     = 3
        expression     = "SUM([${join(", ", [for index, node in nodes : "node${index}"])}])"
        metrics        = { for index, node in nodes : "node${index}" => { namespace = "AWS/ElastiCache", name = "Evictions", stat = "Sum", dimensions = { CacheClusterId = node } } }
      }
    },
    {
      for suffix, nodes in local.cache_chunks : "cache-failover${suffix}" => {
        kind           = "cache-failover"
        severity       = "ticket"
        symptom        = "A cache node became primary, or is no longer primary: there was a failover."
        threshold      = 0
        period_seconds = 60
        periods        = 1
        datapoints     = 1
        expression     = "SUM([${join(", ", [for index, node in nodes : "ABS(DIFF(node${index}))"])}])"
        metrics        = { for index, node in nodes : "node${index}" => { namespace = "AWS/ElastiCache", name = "IsMaster", stat = "Maximum", dimensions = { CacheClusterId = node } } }
      }
    },
    {
      for suffix, brokers in local.broker_chunks : "broker-disk${suffix}" => {
        kind           = "broker-disk"
        severity       = "page"
        symptom        = "The disk of a broker is more than ${var.thresholds.broker_disk_percent} % full although storage autoscaling starts at 60 %: the topic stops when the disk is full."
        threshold      = var.thresholds.broker_disk_percent
        period_seconds = 60
        periods        = 15
        datapoints     = 15
        expression     = "MAX([${join(", ", [for index, broker in brokers : "broker${index}"])}])"
        metrics        = { for index, broker in brokers : "broker${index}" => { namespace = "AWS/Kafka", name = "KafkaDataLogsDiskUsed", stat = "Maximum", dimensions = { "Cluster Name" = var.kafka.cluster_name, "Broker ID" = tostring(broker) } } }
      }
    },
    {
      for cluster in [var.kafka.cluster_name] : "broker-offline" => {
        kind           = "broker-offline"
        severity       = "page"
        symptom        = "Partitions of ${cluster} have no leader: payments of their users can neither be sent nor scored."
        threshold      = 0
        period_seconds = 60
        periods        = 3
        datapoints     = 2
        expression     = null
        metrics        = { offline = { namespace = "AWS/Kafka", name = "OfflinePartitionsCount", stat = "Maximum", dimensions = { "Cluster Name" = cluster } } }
      } if var.kafka.broker_count > 0
    },
  )
}
