variable "name" {
  description = "Prefix of every name, such as `fraud-dev`."
  type        = string
  nullable    = false
}

variable "metrics_namespace" {
  description = "CloudWatch namespace that the functions and the Glue job write to: POWERTOOLS_METRICS_NAMESPACE."
  type        = string
  nullable    = false
}

variable "functions_dir" {
  description = "Folder of the functions' folders. Triggers, consumer groups and concurrency are read from `<functions_dir>/<function>/function.yaml`."
  type        = string
  nullable    = false
}

variable "function_names" {
  description = "Function's folder to its name in AWS; one entry for each function.yaml."
  type        = map(string)
  nullable    = false
}

variable "dead_letter_queue_names" {
  description = "Queues that should always be empty and page at their first message: functions' dead-letter queues and the redrive queues of the alert topic's subscriptions. Any key, such as the function's folder, to queue name."
  type        = map(string)
  nullable    = false
}

variable "quarantine_queue_name" {
  description = "Queue of quarantined records."
  type        = string
  nullable    = false
}

variable "queue_names" {
  description = "Queues that functions read (a trigger of type `queue`), by interface name."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "disabled_schedules" {
  description = "Functions with a trigger of type `schedule` that do not run; without the canary, no stage has a heartbeat."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "table_names" {
  description = "Tables by interface name."
  type        = map(string)
  nullable    = false
}

variable "kafka" {
  description = "The cluster: its name, its topics' real names by interface name, and how many brokers it has; 0 for MSK Serverless, which has none."
  type = object({
    cluster_name = string
    topic_names  = map(string)
    broker_count = number
  })
  nullable = false
  validation {
    condition     = var.kafka.broker_count >= 0 && var.kafka.broker_count <= 30
    error_message = "kafka.broker_count is ${var.kafka.broker_count}; MSK has at most 30 brokers."
  }
}

variable "cache_node_ids" {
  description = "Ids of the cache's nodes, `<replication group>-001` or `<replication group>-0001-001`."
  type        = list(string)
  nullable    = false
  validation {
    condition     = length(var.cache_node_ids) >= 1
    error_message = "cache_node_ids is empty; a cache has at least one node."
  }
}

variable "alert_topic_name" {
  description = "SNS topic of the fraud alerts."
  type        = string
  nullable    = false
}

variable "glue_job_name" {
  description = "The streaming job."
  type        = string
  nullable    = false
}

variable "keep_running_arn" {
  description = "The state machine that starts the streaming job if it does not run."
  type        = string
  nullable    = false
}

variable "history_export_arn" {
  description = "The state machine that exports the history."
  type        = string
  nullable    = false
}

variable "audit_metric_names" {
  description = "Metrics of the audit that count reads and writes of payments, and changes that could open them; null without an audit."
  type        = object({ touched = string, opened = string })
  default     = null
}

variable "console" {
  description = "The console's API: its name, its stage, and the metrics of its access log; null without a console."
  type        = object({ api_name = string, stage_name = string, metric_names = object({ throttled = string, not_answered = string }) })
  default     = null
}

variable "threat_rule_name" {
  description = "EventBridge's rule for landed files with malware; null if they are not scanned."
  type        = string
  default     = null
}

variable "notification_topic_arns" {
  description = "SNS topics that alarms notify, by severity: `page` wakes somebody, `ticket` is for the next working day."
  type = object({
    page   = list(string)
    ticket = list(string)
  })
  nullable = false
}

variable "runbook_base" {
  description = "Where the runbooks are: what precedes `/<alarm>.md`, a folder of the repository or a URL."
  type        = string
  default     = "docs/runbooks"
  nullable    = false
}

variable "thresholds" {
  description = <<-EOT
    Thresholds of the alarms.
    alert_latency_ms: service level, 99th percentile from Kafka's append to SNS's answer, in ms.
    score_latency_ms: 99th percentile of the age of a batch's oldest record when it is decided, in ms.
    canary_latency_ms: from the canary's file in the landing bucket to SNS's answer to its alert, in ms.
    console_latency_ms, console_slowest_ms: 95th and 99th percentile of the console's answers, in ms.
    offset_lag_seconds: how far a consumer group is behind, in s; a group that receives nothing while records wait is too far.
    queue_age_seconds: how long the oldest message of a queue may wait for the function that reads it, in s.
    digest_delay_ms: how long a digest may wait after it is due, in ms.
    iterator_age_ms: age of the oldest waiting record of a table's stream, in ms.
    error_percent, degraded_percent, quarantine_percent: share of invocations, payments, records.
    blocked_percent: share of payments that are blocked, above which a new ruleset is rolled back.
    cache_cpu_percent, cache_memory_percent, broker_disk_percent: use of the fullest node.
    ingestion_batch_ms: how long the slowest batch of the Glue job may take, in ms.
  EOT
  type = object({
    alert_latency_ms     = optional(number, 5000)
    score_latency_ms     = optional(number, 2000)
    canary_latency_ms    = optional(number, 120000)
    console_latency_ms   = optional(number, 1500)
    console_slowest_ms   = optional(number, 5000)
    offset_lag_seconds   = optional(number, 60)
    queue_age_seconds    = optional(number, 900)
    digest_delay_ms      = optional(number, 900000)
    iterator_age_ms      = optional(number, 60000)
    error_percent        = optional(number, 5)
    degraded_percent     = optional(number, 1)
    quarantine_percent   = optional(number, 1)
    blocked_percent      = optional(number, 10)
    cache_cpu_percent    = optional(number, 70)
    cache_memory_percent = optional(number, 80)
    broker_disk_percent  = optional(number, 80)
    ingestion_batch_ms   = optional(number, 60000)
  })
  default  = {}
  nullable = false
  validation {
    condition     = alltrue([for name, value in var.thresholds : value > 0])
    error_message = "thresholds: ${join(", ", [for name, value in var.thresholds : name if value <= 0])} must be above 0."
  }
  validation {
    condition     = alltrue([for name, value in var.thresholds : value <= 100 if endswith(name, "_percent")])
    error_message = "thresholds: ${join(", ", [for name, value in var.thresholds : name if endswith(name, "_percent") && value > 100])} is a share and must be at most 100."
  }
}

variable "enable_notifications" {
  description = "Whether alarms notify. Without, they change their state silently; a rollback of a ruleset by its alarm does not depend on it."
  type        = bool
  default     = true
  nullable    = false
}
