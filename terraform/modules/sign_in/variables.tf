variable "name" {
  description = "Name of the user pool, such as `fraud-dev-console`; with the account's number also that of its pages."
  type        = string
  nullable    = false
  validation {
    # The domain has at most 63 characters, 13 of them of the account; Cognito refuses these three words.
    condition     = can(regex("^[a-z][a-z0-9-]{1,48}[a-z0-9]$", var.name)) && !can(regex("aws|amazon|cognito", var.name))
    error_message = "name is ${var.name}; it must be 3 to 50 characters of a-z, 0-9 and -, starting with a letter, without aws, amazon and cognito."
  }
}

variable "console_url" {
  description = "Where people open the console, with the stage's path and without a slash at the end."
  type        = string
  nullable    = false
}

variable "enable_deletion_protection" {
  description = "Whether the user pool cannot be destroyed."
  type        = bool
  default     = true
  nullable    = false
}
