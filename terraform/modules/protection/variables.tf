variable "name" {
  description = "Prefix of every name, such as `fraud-dev`."
  type        = string
  nullable    = false
}

variable "enable_malware_scan" {
  description = "Whether GuardDuty scans each file that lands; it is paid by GiB and by file."
  type        = bool
  nullable    = false
}

variable "landing_bucket" {
  description = "The bucket that is scanned: name and ARN."
  type        = object({ name = string, arn = string })
  nullable    = false
}

variable "backup" {
  description = "Weekly copies of the tables in a vault: days that each is kept, ARN of another account's vault that gets them too, and whether the vault refuses to delete one earlier. null for none."
  type = object({
    retention_days    = number
    copy_to_vault_arn = optional(string)
    is_locked         = optional(bool, false)
  })
  default = null
  validation {
    condition     = var.backup == null ? true : var.backup.retention_days >= 7 && floor(var.backup.retention_days) == var.backup.retention_days
    error_message = "backup.retention_days is ${try(var.backup.retention_days, "null")}; it must be whole days from 7, so that there is always a copy."
  }
  validation {
    condition     = try(var.backup.copy_to_vault_arn, null) == null ? true : can(regex("^arn:[a-z-]+:backup:[a-z0-9-]+:[0-9]{12}:backup-vault:", var.backup.copy_to_vault_arn))
    error_message = "backup.copy_to_vault_arn is ${try(coalesce(var.backup.copy_to_vault_arn), "null")}; it must be the ARN of a backup vault."
  }
}

variable "table_arns" {
  description = "ARNs of the tables that are copied."
  type        = list(string)
  nullable    = false
}

variable "data_key_arn" {
  description = "ARN of the KMS key of landed files, tables and copies."
  type        = string
  nullable    = false
}

variable "logs_key_arn" {
  description = "ARN of the KMS key of the log group of findings."
  type        = string
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that findings are kept."
  type        = number
  nullable    = false
}

variable "enable_deletion_protection" {
  description = "Whether a vault with copies cannot be destroyed."
  type        = bool
  nullable    = false
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the roles; null for none."
  type        = string
  default     = null
}
