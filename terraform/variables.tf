# What an environment decides. Sizes and limits are checked where they are used, in the modules; what no environment will turn is
# written there too.

variable "project" {
  description = "First part of every name."
  type        = string
  default     = "fraud"
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,15}$", var.project))
    error_message = "project is \"${var.project}\"; it takes 2 to 16 lower-case letters, digits and hyphens, a letter first."
  }
}

variable "environment" {
  description = "Second part of every name, as in `dev`."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.environment))
    error_message = "environment is \"${var.environment}\"; it takes 2 to 12 lower-case letters and digits, a letter first."
  }
}

variable "account_id" {
  description = "The AWS account of the environment. With the credentials of another one nothing is planned."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id is \"${var.account_id}\"; it takes 12 digits."
  }
}

variable "region" {
  description = "The AWS region of the environment."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is \"${var.region}\"; it takes the name of an AWS region, as us-east-1."
  }
}

variable "permissions_boundary_arn" {
  description = "The policy that bounds every role made here, from bootstrap; null where bootstrap is not used."
  type        = string
  default     = null
  validation {
    condition     = var.permissions_boundary_arn == null ? true : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:policy/", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn is \"${coalesce(var.permissions_boundary_arn, "null")}\"; it takes the ARN of an IAM policy, or null."
  }
}

variable "availability_zones" {
  description = "The three zones that everything is spread over. Named, not looked up: a new zone in the region must move nothing."
  type        = list(string)
  nullable    = false
  validation {
    condition     = alltrue([for zone in var.availability_zones : can(regex("^${var.region}[a-z]$", zone))])
    error_message = "availability_zones is ${join(", ", var.availability_zones)}; each is a zone of ${var.region}, as ${var.region}a."
  }
}

variable "cidr_block" {
  description = "The VPC's IPv4 range, /16 to /22. Nothing outside routes to it; a range of its own leaves room for peering."
  type        = string
  default     = "10.20.0.0/16"
  nullable    = false
}

variable "endpoint_zone_count" {
  description = "In how many zones each interface endpoint stands: 3 outlives a zone, 1 costs a third."
  type        = number
  default     = 3
  nullable    = false
}

variable "kafka" {
  description = <<-EOT
    The cluster and its topics. `capacity_mode`: provisioned or serverless. `version`: of provisioned brokers. `brokers`: their size,
    number in each zone, and disk in GiB. `partitions`: of each topic, which bounds how many batches are scored at a time; it can
    be raised, not lowered. `retention_hours`: how long a topic keeps a record, which is how long scoring may stand still.
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
    error_message = "kafka.partitions is ${var.kafka.partitions}; it takes a whole number from 1 to 1000."
  }
  validation {
    condition     = var.kafka.retention_hours >= 24 && var.kafka.retention_hours <= 8760
    error_message = "kafka.retention_hours is ${var.kafka.retention_hours}; it takes 24 (a day to repair what stopped scoring) to 8760."
  }
}

variable "cache" {
  description = <<-EOT
    The cache of profiles. `engine`: valkey or redis, and its version. `node_type`: every node holds all profiles, about 4 KiB each.
    `replicas`: in other zones, scaled between minimum and maximum where these differ. `snapshot_retention_days`: of daily snapshots.
  EOT
  type = object({
    engine                  = optional(string, "valkey")
    engine_version          = optional(string, "8.0")
    node_type               = string
    replicas                = object({ minimum = number, maximum = number })
    snapshot_retention_days = optional(number, 7)
  })
  nullable = false
}

variable "provisioned_tables" {
  description = "Tables on provisioned, autoscaled capacity instead of on demand: table to units a second, least and most, and the use in percent aimed at."
  type = map(object({
    read_minimum   = number
    read_maximum   = number
    write_minimum  = number
    write_maximum  = number
    target_percent = optional(number, 70)
  }))
  default  = {}
  nullable = false
}

variable "ingestion" {
  description = <<-EOT
    The Glue job. `worker_type`; `maximum_workers`: Glue scales between 2 and it. `trigger_interval_seconds`: minimum time between two
    batches. Days that landed files, which may hold card numbers, and refused rows are kept.
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
}

variable "alert_subscriptions" {
  description = "Who hears of suspicious payments: a name of one's own choice to protocol, endpoint, filter policy and redrive queue; modules/alerts says more."
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
}

variable "operations_subscriptions" {
  description = "Who hears of alarms, by severity (`page` wakes somebody, `ticket` is for the next working day): a name of one's own choice to protocol and endpoint."
  type = object({
    page   = optional(map(object({ protocol = string, endpoint = string })), {})
    ticket = optional(map(object({ protocol = string, endpoint = string })), {})
  })
  default  = {}
  nullable = false
}

variable "sms_monthly_limit_usd" {
  description = "What SMS may cost a month, in US dollars, in the whole account: SNS sends none beyond it. Looked at only where somebody hears by SMS."
  type        = number
  default     = 1
  nullable    = false
  validation {
    condition     = var.sms_monthly_limit_usd >= 1 && floor(var.sms_monthly_limit_usd) == var.sms_monthly_limit_usd
    error_message = "sms_monthly_limit_usd is ${var.sms_monthly_limit_usd}; it takes whole dollars from 1 up to the account's quota."
  }
}

variable "alarm_thresholds" {
  description = "When alarms go off, where it differs from modules/observability's own figures."
  type        = map(number)
  default     = {}
  nullable    = false
  validation {
    # A type of optional attributes would drop a misspelt one without a word.
    condition     = length(setsubtract(keys(var.alarm_thresholds), local.alarm_thresholds)) == 0
    error_message = "alarm_thresholds has ${join(", ", setsubtract(keys(var.alarm_thresholds), local.alarm_thresholds))}; there are ${join(", ", local.alarm_thresholds)}."
  }
}

variable "log_retention_days" {
  description = "Days that every log group keeps its lines."
  type        = number
  nullable    = false
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is ${var.log_retention_days}; CloudWatch Logs takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "enable_deletion_protection" {
  description = "Whether tables and buckets with content refuse to be destroyed, and the cache leaves a last snapshot."
  type        = bool
  nullable    = false
}

variable "build_dir" {
  description = "Folder of what `make build ARCH=arm64` built: `functions/arm64/<function>.zip` and `glue/`."
  type        = string
  default     = "../build"
  nullable    = false
}
