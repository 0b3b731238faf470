variable "name" {
  description = "Prefix of every name, such as `fraud-dev`."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}[a-z0-9]$", var.name))
    error_message = "name is \"${var.name}\"; it must be 3 to 29 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "scripts_dir" {
  description = "Folder of the job's script, backtest_rows.py."
  type        = string
  nullable    = false
}

variable "build_dir" {
  description = "Folder of what `make packages` builds for the job: packages.zip and wheels/."
  type        = string
  nullable    = false
}

variable "table_arns" {
  description = "By interface name: ARNs of the tables to export, labels and transaction_history (modules/exports)."
  type        = map(string)
  nullable    = false
}

variable "maximum_workers" {
  description = "Maximum number of workers of 4 processors each, the driver included. Glue scales below it; a worker costs only while it runs."
  type        = number
  nullable    = false
  validation {
    condition     = var.maximum_workers >= 2 && var.maximum_workers <= 299 && floor(var.maximum_workers) == var.maximum_workers
    error_message = "maximum_workers is ${var.maximum_workers}; it takes a whole number from 2 (a driver and an executor) to 299."
  }
}

variable "maximum_minutes" {
  description = "Minutes after which Glue stops a run: the most that one can cost."
  type        = number
  default     = 120
  nullable    = false
  validation {
    condition     = var.maximum_minutes >= 5 && var.maximum_minutes <= 1440 && floor(var.maximum_minutes) == var.maximum_minutes
    error_message = "maximum_minutes is ${var.maximum_minutes}; it takes a whole number from 5 to 1440."
  }
}

variable "access_log_bucket" {
  description = "Bucket that records who read or wrote exports and runs."
  type        = string
  nullable    = false
}

variable "data_key_arn" {
  description = "ARN of the KMS key of the tables, the exports and what the job writes."
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

variable "enable_deletion_protection" {
  description = "Whether the bucket with content cannot be destroyed."
  type        = bool
  nullable    = false
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the roles; null for none."
  type        = string
  default     = null
}
