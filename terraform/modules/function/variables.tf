# function.yaml says what the function is; variables are only what the file cannot know.

variable "name" {
  description = "Prefix of every name, such as `fraud-dev`. A function in the folder `rules_validator` is named `<name>-rules-validator`."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}[a-z0-9]$", var.name))
    error_message = "name is ${var.name}; it must be 3 to 29 characters of a-z, 0-9 and -, starting with a letter."
  }
}

variable "function" {
  description = "The function's folder below functions_dir; the key of the root's for_each."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,30}$", var.function))
    error_message = "function is ${var.function}; the name of a function's folder has up to 31 characters of a-z, 0-9 and _."
  }
}

variable "functions_dir" {
  description = "Folder of the functions' folders, `<functions_dir>/<function>/function.yaml`."
  type        = string
  nullable    = false
}

variable "enable_pollers" {
  description = "Whether a Kafka mapping polls all the time. Without it, the mapping is created disabled, and `make start` enables it."
  type        = bool
  default     = true
  nullable    = false
}

variable "enable_schedule" {
  description = "Whether a trigger of type `schedule` invokes the function. Without it the rule is created disabled."
  type        = bool
  default     = true
  nullable    = false
}

variable "enable_traces" {
  description = "Whether X-Ray traces one invocation a second and 5% of the others. Lambda has no setting for the share; at a large volume it costs more than the functions' time."
  type        = bool
  default     = true
  nullable    = false
}

variable "build_dir" {
  description = "Folder of the built zips, `<build_dir>/<function>.zip`; `make build ARCH=arm64` fills it."
  type        = string
  nullable    = false
}

variable "references" {
  description = "Values of `{ref: ...}` in a function.yaml's environment and trigger: the name of `table.transaction_history`, `cache.endpoint`, `rules.application`, and so on. May have more entries than this function uses."
  type        = map(string)
  nullable    = false
}

variable "targets" {
  description = <<-EOT
    What a function.yaml's `access` and `trigger` may name, by kind and interface name:
    tables (ARN, stream ARN), queues, buckets and SNS topics (ARN), the cache (replication group and IAM user), the ruleset
    (AppConfig's configuration ARN, and the ARNs that a deployment needs), the Kafka cluster (ARN, and the topics' real names by interface name), KMS keys that a
    function's own code uses (ARN) and other functions (ARN of the alias `live`).
  EOT
  type = object({
    tables  = map(object({ arn = string, stream_arn = optional(string) }))
    queues  = map(object({ arn = string, url = optional(string) }))
    buckets = map(object({ arn = string }))
    topics  = map(object({ arn = string }))
    cache   = object({ replication_group_arn = string, user_arn = string })
    rules   = object({ configuration_arn = string, deployment_arns = optional(list(string), []) })
    kafka   = object({ cluster_arn = string, topic_names = map(string) })
    keys    = optional(map(object({ arn = string })), {})

    functions = optional(map(object({ arn = string })), {})
  })
  nullable = false
}

variable "created_kafka_topics" {
  description = "Kafka topics that exist, interface name to real name, from the answer of topic_admin. Separate from targets, so that a mapping waits for its topic, but topic_admin, which is a function too, does not."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "vpc" {
  description = "Network of a function whose `access` names the cache or Kafka: private subnets, the security group of every function there (it reaches AWS's endpoints), and the groups that the cache and the brokers allow."
  type = object({
    subnet_ids = list(string)
    security_group_ids = object({
      functions = string
      cache     = string
      kafka     = string
    })
  })
  nullable = false
  validation {
    condition     = length(var.vpc.subnet_ids) >= 2
    error_message = "vpc.subnet_ids has ${length(var.vpc.subnet_ids)}; a function needs subnets in at least 2 zones."
  }
}

variable "key_arns" {
  description = "Customer keys by concern: `data` for tables, buckets, queues and the environment's variables, `alerts` for the alert topic, `logs` for the log group."
  type = object({
    data   = string
    alerts = string
    logs   = string
  })
  nullable = false
}

variable "access_log_bucket" {
  description = "Name of the bucket that records accesses to the dead-letter bucket of a function that has one."
  type        = string
  nullable    = false
}

variable "enable_deletion_protection" {
  description = "Whether the dead-letter bucket keeps its objects when it is destroyed: destroying it fails then while it has any."
  type        = bool
  default     = true
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that log lines are kept."
  type        = number
  nullable    = false
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is ${var.log_retention_days}; CloudWatch Logs allows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400 and some longer."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the role's permissions boundary, from bootstrap; null if the account has none."
  type        = string
  default     = null
}
