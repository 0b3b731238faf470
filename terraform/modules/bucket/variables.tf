variable "bucket" {
  description = "The bucket's name, at most 63 characters. Names are global: the account's id at its end makes it unique."
  type        = string
  nullable    = false
}

variable "expiry_by_prefix" {
  description = "By the beginning of their keys, `\"\"` for all: days after which objects are deleted, and days after which they get cheaper to keep and dearer to read. Others are kept."
  type        = map(object({ days = number, archive_after_days = optional(number) }))
  default     = {}
  nullable    = false
  validation {
    condition     = alltrue([for expiry in values(var.expiry_by_prefix) : expiry.days >= 1 && floor(expiry.days) == expiry.days])
    error_message = "expiry_by_prefix: days of ${join(", ", [for prefix, expiry in var.expiry_by_prefix : "\"${prefix}\" (${expiry.days})" if expiry.days < 1 || floor(expiry.days) != expiry.days])}; S3 takes whole days from 1."
  }
  validation {
    condition     = alltrue([for expiry in values(var.expiry_by_prefix) : expiry.archive_after_days == null ? true : expiry.archive_after_days >= 0 && expiry.archive_after_days < expiry.days && floor(expiry.archive_after_days) == expiry.archive_after_days])
    error_message = "expiry_by_prefix: archive_after_days must be whole days, fewer than those after which an object is deleted."
  }
}

variable "undo_days" {
  description = "Days that what was deleted or overwritten is kept: the time to undo a mistake."
  type        = number
  default     = 7
  nullable    = false
  validation {
    condition     = var.undo_days >= 1 && floor(var.undo_days) == var.undo_days
    error_message = "undo_days is ${var.undo_days}; S3 takes whole days from 1."
  }
}

variable "object_lock" {
  description = "How each object is locked from the moment at which it is written: `mode`, GOVERNANCE or COMPLIANCE, and for how many days; null for no lock. A bucket gets Object Lock when it is created, and keeps it."
  type        = object({ mode = string, retention_days = number })
  default     = null
  validation {
    condition     = var.object_lock == null ? true : contains(["COMPLIANCE", "GOVERNANCE"], var.object_lock.mode)
    error_message = "object_lock.mode is ${try(var.object_lock.mode, "null")}; S3 has COMPLIANCE and GOVERNANCE."
  }
  validation {
    condition     = var.object_lock == null ? true : var.object_lock.retention_days >= 1 && var.object_lock.retention_days <= 36500 && floor(var.object_lock.retention_days) == var.object_lock.retention_days
    error_message = "object_lock.retention_days is ${try(var.object_lock.retention_days, "null")}; S3 takes 1 to 36500."
  }
}

variable "enable_events" {
  description = "Whether EventBridge gets an event for each object."
  type        = bool
  default     = false
  nullable    = false
}

variable "access_log_bucket" {
  description = "Name of the bucket that records accesses; null for none."
  type        = string
}

variable "service_statements" {
  description = "What services of AWS may do, by the id of the statement: an action on `objects`, a pattern of keys, or on the bucket itself (null), if each key of the condition has its value."
  type        = map(object({ service = string, action = string, objects = optional(string), equals = map(string) }))
  default     = {}
  nullable    = false
  validation {
    condition     = alltrue([for statement in values(var.service_statements) : can(regex("^[a-z0-9.]+\\.amazonaws\\.com$", statement.service)) && length(statement.equals) > 0])
    error_message = "service_statements: ${join(", ", [for id, statement in var.service_statements : id if !can(regex("^[a-z0-9.]+\\.amazonaws\\.com$", statement.service)) || length(statement.equals) == 0])} must name a service and a condition, or it may write for any account."
  }
}

variable "enable_deletion_protection" {
  description = "Whether the bucket keeps its objects when it is destroyed: destroying it fails then while it has any."
  type        = bool
  nullable    = false
}

variable "key_arn" {
  description = "ARN of the customer key; null for S3's own key, as for access logs, which need it, and for objects that must be readable without a customer key."
  type        = string
}
