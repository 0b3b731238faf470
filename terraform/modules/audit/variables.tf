variable "name" {
  description = "Prefix of every name, such as `fraud-dev`."
  type        = string
  nullable    = false
}

variable "bucket_arns" {
  description = "ARNs of the buckets that hold payments."
  type        = list(string)
  nullable    = false
}

variable "audit_heads_bucket_arn" {
  description = "ARN of the bucket of audit heads: who writes or deletes there is recorded, who reads is not."
  type        = string
  nullable    = false
}

variable "table_arns" {
  description = "ARNs of the tables that hold payments."
  type        = list(string)
  nullable    = false
}

variable "reading_roles" {
  description = "Names of the system's own roles, whose reads and writes of payments are its work and not recorded."
  type        = list(string)
  nullable    = false
  validation {
    condition     = length(var.reading_roles) > 0
    error_message = "reading_roles is empty; without the system's own roles every payment would be an event."
  }
}

variable "opening_roles" {
  description = "Names of the roles that may change what opens payments, or copy them, and page nobody: the one that applies what was approved, and the one that exports."
  type        = list(string)
  nullable    = false
}

variable "metrics_namespace" {
  description = "CloudWatch namespace of the environment."
  type        = string
  nullable    = false
}

variable "logs_key_arn" {
  description = "ARN of the KMS key of the trail, its files and its log group; its policy must allow CloudTrail."
  type        = string
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that the trail's log group keeps its events; its files are kept a year."
  type        = number
  nullable    = false
}

variable "enable_deletion_protection" {
  description = "Whether a bucket with files cannot be destroyed."
  type        = bool
  nullable    = false
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the role; null for none."
  type        = string
  default     = null
}
