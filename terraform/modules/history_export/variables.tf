variable "name" {
  description = "Prefix of every name, such as `fraud-dev`."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}[a-z0-9]$", var.name))
    error_message = "name is \"${var.name}\"; it must be 3 to 29 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "table" {
  description = "The table of the history: its name and its ARN."
  type        = object({ name = string, arn = string })
  nullable    = false
}

variable "retention_days" {
  description = "Days that a row stays in the table: HISTORY_RETENTION_DAYS of the score stage. A chargeback may come half a year after the payment."
  type        = number
  nullable    = false
  validation {
    condition     = var.retention_days >= 180
    error_message = "retention_days is ${var.retention_days}; it must be at least 180: chargebacks come late, and a row must be in two exports before it expires."
  }
}

variable "kept_days" {
  description = "Days that an export is kept. A row is at least 118 days old in the last export that has it, so with 300 it can be found for more than 400 days."
  type        = number
  default     = 300
  nullable    = false
  validation {
    condition     = var.kept_days >= 124
    error_message = "kept_days is ${var.kept_days}; it must be at least 124, two intervals, so that there are always two exports."
  }
}

variable "access_log_bucket" {
  description = "Bucket that records who read or wrote the exports."
  type        = string
  nullable    = false
}

variable "data_key_arn" {
  description = "ARN of the KMS key of the table and the exports."
  type        = string
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
