variable "name" {
  description = "Name of the state machine and beginning of the bucket's name, such as `fraud-dev-backtest`."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,36}[a-z0-9]$", var.name))
    error_message = "name is \"${var.name}\"; it must be 3 to 38 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "description" {
  description = "What the state machine does, in a sentence."
  type        = string
  nullable    = false
}

variable "table_arns" {
  description = "By interface name: ARNs of the tables that are exported, transaction_history and labels. Both need point-in-time recovery."
  type        = map(string)
  nullable    = false
  validation {
    condition     = toset(keys(var.table_arns)) == toset(["labels", "transaction_history"])
    error_message = "table_arns has ${join(", ", keys(var.table_arns))}; labels and transaction_history are exported."
  }
}

variable "start_job" {
  description = "How the job is started, as JSON: `task`, the resource and the parameters of a task in Amazon States Language, and `statements`, what it may call, of an IAM policy."
  type        = object({ task = string, statements = string })
  nullable    = false
}

variable "days_by_prefix" {
  description = "Days that other objects of the bucket are kept, by their prefix. Exports are kept for three days."
  type        = map(number)
  nullable    = false
}

variable "access_log_bucket" {
  description = "Bucket that records who read or wrote what is in the bucket."
  type        = string
  nullable    = false
}

variable "data_key_arn" {
  description = "ARN of the KMS key of the tables and of the exports."
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
