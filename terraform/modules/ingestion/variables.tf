variable "name" {
  description = "Prefix of names, as in `fraud-dev`."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}[a-z0-9]$", var.name))
    error_message = "name is \"${var.name}\"; it takes 3 to 29 lower-case letters, digits and hyphens, a letter first."
  }
}

variable "scripts_dir" {
  description = "Folder of the job's entry point, `stream_transactions.py`."
  type        = string
  nullable    = false
  validation {
    condition     = fileexists("${var.scripts_dir}/stream_transactions.py")
    error_message = "scripts_dir is \"${var.scripts_dir}\"; there is no stream_transactions.py in it."
  }
}

variable "build_dir" {
  description = "Folder of what the job imports, built by `make build`: `packages.zip` and `wheels/*.whl`."
  type        = string
  nullable    = false
  validation {
    condition     = fileexists("${var.build_dir}/packages.zip") && length(fileset(var.build_dir, "wheels/*.whl")) > 0
    error_message = "build_dir is \"${var.build_dir}\"; there is no packages.zip or no wheels/*.whl in it. `make build ARCH=arm64` makes them."
  }
}

variable "worker_type" {
  description = "Size of each Glue worker. G.025X is a quarter of a DPU and made for streams."
  type        = string
  default     = "G.025X"
  nullable    = false
  validation {
    condition     = contains(["G.025X", "G.1X", "G.2X", "G.4X", "G.8X"], var.worker_type)
    error_message = "worker_type is \"${var.worker_type}\"; a Glue streaming job takes G.025X, G.1X, G.2X, G.4X or G.8X."
  }
}

variable "maximum_workers" {
  description = "Most workers, the driver among them. Glue scales below it by load, and what is not used is not paid."
  type        = number
  default     = 4
  nullable    = false
  validation {
    condition     = var.maximum_workers >= 2 && var.maximum_workers <= 100
    error_message = "maximum_workers is ${var.maximum_workers}; it takes 2 (a driver and an executor) to 100."
  }
}

variable "trigger_interval_seconds" {
  description = "Least seconds between the starts of two batches: how long a landed file waits, against what small batches cost."
  type        = number
  default     = 10
  nullable    = false
  validation {
    condition     = var.trigger_interval_seconds >= 1 && var.trigger_interval_seconds <= 3600
    error_message = "trigger_interval_seconds is ${var.trigger_interval_seconds}; it takes 1 to 3600."
  }
}

variable "subnet_id_by_zone" {
  description = "Zone to its private subnet. A connection is made in each, so that the job can start while a zone is away."
  type        = map(string)
  nullable    = false
  validation {
    condition     = length(var.subnet_id_by_zone) >= 1
    error_message = "subnet_id_by_zone is empty; the job needs a subnet to run in."
  }
}

variable "security_group_id" {
  description = "Security group of the job's workers; it must let them speak to each other."
  type        = string
  nullable    = false
}

variable "kafka" {
  description = "Where records go: brokers as `host:port,...`, cluster ARN, topic and topic ARN."
  type = object({
    bootstrap_servers = string
    cluster_arn       = string
    topic             = string
    topic_arn         = string
  })
  nullable = false
}

variable "metrics_namespace" {
  description = "CloudWatch namespace of the metrics in the lines that the job prints, the functions' own."
  type        = string
  nullable    = false
}

variable "data_key_arn" {
  description = "ARN of the KMS key of the buckets and of what the job writes."
  type        = string
  nullable    = false
}

variable "logs_key_arn" {
  description = "ARN of the KMS key of the job's log groups."
  type        = string
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that the job's logs are kept."
  type        = number
  nullable    = false
}

variable "landing_retention_days" {
  description = "Days that a landed file stays. It may hold full card numbers, so no longer than it takes to notice that ingestion stands still."
  type        = number
  default     = 7
  nullable    = false
  validation {
    condition     = var.landing_retention_days >= 1 && var.landing_retention_days <= 90
    error_message = "landing_retention_days is ${var.landing_retention_days}; it takes 1 to 90."
  }
}

variable "quarantine_retention_days" {
  description = "Days that refused rows and records are kept for whoever repairs them."
  type        = number
  default     = 90
  nullable    = false
  validation {
    condition     = var.quarantine_retention_days >= 1 && var.quarantine_retention_days <= 3650
    error_message = "quarantine_retention_days is ${var.quarantine_retention_days}; it takes 1 to 3650."
  }
}

variable "enable_deletion_protection" {
  description = "Whether buckets that hold something refuse to be destroyed."
  type        = bool
  nullable    = false
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds the role, from bootstrap; null where the account has none."
  type        = string
  default     = null
}
