variable "name" {
  description = "Prefix of the keys' aliases, such as `fraud-dev`."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}[a-z0-9]$", var.name))
    error_message = "name is \"${var.name}\"; it must be 3 to 29 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "deletion_window_days" {
  description = "Days in which the deletion of a key can be cancelled."
  type        = number
  default     = 30
  nullable    = false
  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "deletion_window_days is ${var.deletion_window_days}; KMS allows 7 to 30."
  }
}
