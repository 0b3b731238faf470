variable "name" {
  description = "Name of the state machine and its role, and the beginning of the names of its rules; starts with the prefix of every name."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,56}[a-z0-9]$", var.name))
    error_message = "name is \"${var.name}\"; it must be 3 to 58 lower-case letters, digits and hyphens, starting with a letter: a role's name has at most 64."
  }
}

variable "description" {
  description = "What the state machine does, in a sentence."
  type        = string
  nullable    = false
}

variable "definition" {
  description = "The state machine in Amazon States Language, as JSON."
  type        = string
  nullable    = false
}

variable "policy" {
  description = "What it may call, as JSON of an IAM policy."
  type        = string
  nullable    = false
}

variable "rules" {
  description = "Why it runs, by the end of the rule's name: on a schedule, or on an event whose pattern is JSON. Empty: only by hand."
  type = map(object({
    description   = string
    schedule      = optional(string)
    event_pattern = optional(string)
  }))
  nullable = false
  validation {
    condition     = alltrue([for rule in values(var.rules) : (rule.schedule == null) != (rule.event_pattern == null)])
    error_message = "rules: ${join(", ", [for name, rule in var.rules : name if(rule.schedule == null) == (rule.event_pattern == null)])} must have either a schedule or an event_pattern."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the roles; null for none."
  type        = string
  default     = null
}
