variable "name" {
  description = "Prefix of every name, and the application's name, such as `fraud-dev`."
  type        = string
  nullable    = false
}

variable "environment" {
  description = "Name of AppConfig's environment, such as `dev`."
  type        = string
  nullable    = false
}

variable "ruleset_file" {
  description = "YAML document of the first ruleset. Later ones are approved changes of it; Terraform does not change them."
  type        = string
  nullable    = false
}

variable "validator" {
  description = "The function rules_validator, which runs the same check as `make rules-check`."
  type = object({
    function_name = string
    alias_name    = string
    alias_arn     = string
  })
  nullable = false
}

variable "rollback_alarm_arn" {
  description = "Alarm that rolls a deployment back to the previous ruleset while it is deployed or baked."
  type        = string
  nullable    = false
}

variable "rollout_minutes" {
  description = "Minutes until a new ruleset is active everywhere. It starts with a tenth of the pollers and doubles."
  type        = number
  default     = 20
  nullable    = false
  validation {
    condition     = var.rollout_minutes >= 0 && var.rollout_minutes <= 1440 && floor(var.rollout_minutes) == var.rollout_minutes
    error_message = "rollout_minutes is ${var.rollout_minutes}; AppConfig allows whole minutes from 0 to 1440."
  }
}

variable "bake_minutes" {
  description = "Minutes after that in which the rollback alarm is still watched."
  type        = number
  default     = 30
  nullable    = false
  validation {
    condition     = var.bake_minutes >= 0 && var.bake_minutes <= 1440 && floor(var.bake_minutes) == var.bake_minutes
    error_message = "bake_minutes is ${var.bake_minutes}; AppConfig allows whole minutes from 0 to 1440."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the role's permissions boundary, from bootstrap; null if the account has none."
  type        = string
  default     = null
}
