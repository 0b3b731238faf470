# The settings of an environment. The modules that use sizes and limits check them. What no environment changes is a constant there.

variable "project" {
  description = "First part of every name."
  type        = string
  default     = "fraud"
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,15}$", var.project))
    error_message = "project is \"${var.project}\"; it must be 2 to 16 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "environment" {
  description = "Second part of every name, such as `dev`."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.environment))
    error_message = "environment is \"${var.environment}\"; it must be 2 to 12 lower-case letters and digits, starting with a letter."
  }
}

variable "account_id" {
  description = "The AWS account of the environment. Planning with credentials of another account fails."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id is \"${var.account_id}\"; it must be 12 digits."
  }
}

variable "region" {
  description = "The AWS region of the environment."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is \"${var.region}\"; it must be the name of an AWS region, such as us-east-1."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of every role, from bootstrap; null if bootstrap is not used."
  type        = string
  default     = null
  validation {
    condition     = var.permissions_boundary_arn == null ? true : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:policy/", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn is \"${coalesce(var.permissions_boundary_arn, "null")}\"; it must be the ARN of an IAM policy, or null."
  }
}

variable "availability_zones" {
  description = "The three zones of all resources. They are named, not looked up, so that a new zone in the region moves nothing."
  type        = list(string)
  nullable    = false
  validation {
    condition     = alltrue([for zone in var.availability_zones : can(regex("^${var.region}[a-z]$", zone))])
    error_message = "availability_zones is ${join(", ", var.availability_zones)}; each must be a zone of ${var.region}, such as ${var.region}a."
  }
}

variable "cidr_block" {
  description = "The VPC's IPv4 range, /16 to /22. There is no route to it from outside; a range of its own allows peering later."
  type        = string
  default     = "10.20.0.0/16"
  nullable    = false
}

variable "endpoint_zone_count" {
  description = "Number of zones of each interface endpoint: 3 survives the loss of a zone, 1 costs a third."
  type        = number
  default     = 3
  nullable    = false
}

variable "kafka" {
  description = <<-EOT
    The cluster and its topics. `capacity_mode`: provisioned or serverless. `version`: of provisioned brokers. `brokers`: their size,
    number in each zone, and disk in GiB. `partitions`: of each topic; the limit of batches that are scored at a time. It can
    be raised, not lowered. `retention_hours`: how long a topic keeps a record, and so how long scoring may be stopped.
  EOT
  type = object({
    capacity_mode = optional(string, "provisioned")
    version       = optional(string, "3.9.x.kraft")
    brokers = object({
      instance_type      = string
      per_zone           = optional(number, 1)
      volume_gib         = number
      volume_maximum_gib = number
    })
    partitions      = number
    retention_hours = optional(number, 168)
  })
  nullable = false
  validation {
    condition     = var.kafka.partitions >= 1 && var.kafka.partitions <= 1000 && floor(var.kafka.partitions) == var.kafka.partitions
    error_message = "kafka.partitions is ${var.kafka.partitions}; it must be a whole number from 1 to 1000."
  }
  validation {
    condition     = var.kafka.retention_hours >= 24 && var.kafka.retention_hours <= 8760
    error_message = "kafka.retention_hours is ${var.kafka.retention_hours}; it must be 24 (a day to fix what stopped scoring) to 8760."
  }
}

variable "producers" {
  description = "Services of other teams that write payments to the topic, by any name: the IAM roles or users, also of other accounts, that take on the producer's role. docs/producers says how they sign in."
  type = map(object({
    principal_arns = list(string)
  }))
  default  = {}
  nullable = false
}

variable "label_producers" {
  description = "Who sends labels to the queue, by any name: the IAM roles or users, also of other accounts, that take on the producer's role. Services and people alike; docs/guide-labels.md says what they send."
  type = map(object({
    principal_arns = list(string)
  }))
  default  = {}
  nullable = false
}

variable "cache" {
  description = <<-EOT
    The cache of profiles. `engine`: valkey or redis, and its version. `node_type`: every node holds all profiles, about 4 KiB each.
    `replicas`: in other zones, scaled between minimum and maximum if these differ. `snapshot_retention_days`: of daily snapshots.
    `restore_snapshot`: the snapshot that it was created with; a change replaces it.
  EOT
  type = object({
    engine                  = optional(string, "valkey")
    engine_version          = optional(string, "8.0")
    node_type               = string
    replicas                = object({ minimum = number, maximum = number })
    snapshot_retention_days = optional(number, 7)
    restore_snapshot        = optional(string)
  })
  nullable = false
}

variable "enable_always_on" {
  description = "Whether the Glue job and the event pollers run all the time. If false, they run from `make start` to `make stop`, and cost nothing in between."
  type        = bool
  default     = true
  nullable    = false
}

variable "disabled_schedules" {
  description = "Functions with a trigger of type `schedule` that are not to run, by the names of their folders."
  type        = set(string)
  default     = []
  nullable    = false
  validation {
    condition     = alltrue([for function in var.disabled_schedules : can(yamldecode(file("${path.root}/../functions/${function}/function.yaml")).trigger.every_minutes)])
    error_message = "disabled_schedules is ${join(", ", var.disabled_schedules)}; each must be a folder of functions/ with a trigger of type schedule."
  }
}

variable "enable_traces" {
  description = "Whether X-Ray traces a share of the functions' invocations."
  type        = bool
  default     = true
  nullable    = false
}

variable "enable_transaction_index" {
  description = "Whether transaction_history has the index by transaction id, so that a label which names nothing else finds its payment. It costs a write unit a payment (docs/cost.md). Without it a label must have user_id and timestamp, or event_key."
  type        = bool
  default     = true
  nullable    = false
}

variable "provisioned_tables" {
  description = "Tables on provisioned, autoscaled capacity instead of on demand: by table, minimum and maximum of units a second, the target use in percent, and the fixed units a second of each of its indexes, by the index's name."
  type = map(object({
    read_minimum   = number
    read_maximum   = number
    write_minimum  = number
    write_maximum  = number
    target_percent = optional(number, 70)
    indexes        = optional(map(object({ read = number, write = number })), {})
  }))
  default  = {}
  nullable = false
}

variable "on_demand_maximum" {
  description = "Most request units a second of each on-demand table and index, as a limit of what a loop can cost; null for the account's quota. Above it DynamoDB throttles, and payments wait."
  type        = object({ read_units = number, write_units = number })
  default     = null
}

variable "monthly_budget_usd" {
  description = "What the account may cost in a month, in US dollars: a ticket at 80% of it, and when AWS forecasts all of it. null for no budget."
  type        = number
  default     = null
  validation {
    condition     = var.monthly_budget_usd == null ? true : var.monthly_budget_usd >= 1
    error_message = "monthly_budget_usd is ${coalesce(var.monthly_budget_usd, 0)}; it must be at least 1."
  }
  validation {
    condition     = var.environment != "prod" || var.monthly_budget_usd != null
    error_message = "monthly_budget_usd is not set; ${var.environment} needs a budget. docs/cost.md has an estimate."
  }
}

variable "enable_audit" {
  description = "Whether CloudTrail records who but the system touches payments, and pages. Without it nothing records reads of tables."
  type        = bool
  default     = false
  nullable    = false
}

variable "enable_malware_scan" {
  description = "Whether GuardDuty scans each file that lands; it is paid by GiB and by file."
  type        = bool
  default     = false
  nullable    = false
}

variable "backup" {
  description = <<-EOT
    Weekly copies of the tables in a vault of AWS Backup, beside their point-in-time recovery; null for none. `retention_days` of each copy.
    `includes_history`: of transaction_history too, which has exports (modules/history_export) and is the largest; docs/cost.md has the price.
    `copy_to_vault_arn`: a vault of another account that gets them too. `is_locked`: the vault refuses to delete a copy earlier.
    AWS Backup's advanced features for DynamoDB must be turned on in the account first.
  EOT
  type = object({
    retention_days    = number
    copy_to_vault_arn = optional(string)
    is_locked         = optional(bool, false)
    includes_history  = optional(bool, false)
  })
  default = null
}

variable "ingestion" {
  description = <<-EOT
    The Glue job. `worker_type` and `maximum_workers`: Glue scales between 2 and this number. `trigger_interval_seconds`: minimum time
    between two batches. Retention in days of landed files, which may contain card numbers, and of quarantined rows.
  EOT
  type = object({
    worker_type               = optional(string, "G.025X")
    maximum_workers           = optional(number, 4)
    trigger_interval_seconds  = optional(number, 10)
    landing_retention_days    = optional(number, 7)
    quarantine_retention_days = optional(number, 90)
  })
  default  = {}
  nullable = false
}

variable "ingestion_mappings" {
  description = "A sender's own columns: prefix below the landing path, as in `acme` or `acme/cards`, to its mapping, a YAML file named relative to the repository, as in `mappings/acme.yaml`. docs/guide-own-data.md says what can be written in it."
  type        = map(string)
  default     = {}
  nullable    = false
  validation {
    condition     = alltrue([for prefix in keys(var.ingestion_mappings) : split("/", prefix)[0] != "canary"])
    error_message = "ingestion_mappings has a mapping for ${join(", ", [for prefix in keys(var.ingestion_mappings) : prefix if split("/", prefix)[0] == "canary"])}; the folder canary is the canary's, which needs none."
  }
}

variable "label_mappings" {
  description = "A sender's own columns in files of labels: prefix below the labels path, as in `acme`, to its mapping, a YAML file named relative to the repository. docs/guide-labels.md says what can be written in it."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "alert_subscriptions" {
  description = "Subscribers of the fraud alerts: any name to protocol, endpoint, filter policy and redrive queue; see modules/alert_topic."
  type = map(object({
    protocol          = string
    endpoint          = string
    filter_policy     = optional(map(list(string)))
    raw               = optional(bool, false)
    role_arn          = optional(string)
    redrive_queue_arn = optional(string)
  }))
  default  = {}
  nullable = false
  validation {
    condition     = var.environment != "prod" || length(var.alert_subscriptions) > 0
    error_message = "alert_subscriptions is empty; ${var.environment} needs someone to alert. Name them in its tfvars (docs/runbooks/add-subscriber.md)."
  }
}

variable "operations_subscriptions" {
  description = "Subscribers of alarms, by severity (`page` wakes somebody, `ticket` is for the next working day): any name to protocol and endpoint."
  type = object({
    page   = optional(map(object({ protocol = string, endpoint = string })), {})
    ticket = optional(map(object({ protocol = string, endpoint = string })), {})
  })
  default  = {}
  nullable = false
  validation {
    condition     = var.environment != "prod" || length(var.operations_subscriptions.page) > 0
    error_message = "operations_subscriptions.page is empty; ${var.environment} needs someone to page. Name them in its tfvars (docs/runbooks/add-subscriber.md)."
  }
}

variable "sms_monthly_limit_usd" {
  description = "Maximum cost of SMS a month, in US dollars, in the whole account: SNS stops sending at it. Used only if a subscriber has the protocol sms."
  type        = number
  default     = 1
  nullable    = false
  validation {
    condition     = var.sms_monthly_limit_usd >= 1 && floor(var.sms_monthly_limit_usd) == var.sms_monthly_limit_usd
    error_message = "sms_monthly_limit_usd is ${var.sms_monthly_limit_usd}; it must be whole dollars from 1 up to the account's quota."
  }
}

variable "enable_alarm_notifications" {
  description = "Whether alarms notify their subscribers. False is for the first apply: a new alarm has no data yet, and either opens or reports that all is well."
  type        = bool
  default     = true
  nullable    = false
}

variable "alarm_thresholds" {
  description = "Thresholds of alarms that differ from the defaults of modules/observability."
  type        = map(number)
  default     = {}
  nullable    = false
  validation {
    # An object with optional attributes would silently drop a misspelt one.
    condition     = length(setsubtract(keys(var.alarm_thresholds), local.alarm_thresholds)) == 0
    error_message = "alarm_thresholds has ${join(", ", setsubtract(keys(var.alarm_thresholds), local.alarm_thresholds))}; the known ones are ${join(", ", local.alarm_thresholds)}."
  }
}

variable "log_retention_days" {
  description = "Days that every log group keeps its log lines."
  type        = number
  nullable    = false
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is ${var.log_retention_days}; CloudWatch Logs allows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "enable_deletion_protection" {
  description = "Whether tables and buckets with content cannot be destroyed, and the cache keeps a last snapshot."
  type        = bool
  nullable    = false
}

variable "build_dir" {
  description = "Folder of what `make packages` builds: `functions/arm64/<function>.zip` and `glue/`."
  type        = string
  default     = "../build"
  nullable    = false
}
