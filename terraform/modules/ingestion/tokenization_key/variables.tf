variable "name" {
  description = "Name of the secret."
  type        = string
  nullable    = false
}

variable "data_key_arn" {
  description = "ARN of the KMS key that the secret is encrypted with."
  type        = string
  nullable    = false
}

variable "recovery_window_days" {
  description = "Days in which the secret's deletion can be taken back; 0 deletes it at once."
  type        = number
  nullable    = false
  validation {
    condition     = var.recovery_window_days == 0 || (var.recovery_window_days >= 7 && var.recovery_window_days <= 30)
    error_message = "recovery_window_days is ${var.recovery_window_days}; Secrets Manager takes 0 or 7 to 30."
  }
}

variable "version_number" {
  description = "Raised by one, a new random key is written: cards seen before get other tokens from then on."
  type        = number
  default     = 1
  nullable    = false
  validation {
    condition     = var.version_number >= 1 && floor(var.version_number) == var.version_number
    error_message = "version_number is ${var.version_number}; it takes a whole number of at least 1."
  }
}
