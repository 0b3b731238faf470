variable "name" {
  description = "Prefix of every name, and the application's name, as in `fraud-dev`."
  type        = string
  nullable    = false
}

variable "environment" {
  description = "Name of AppConfig's environment, as in `dev`."
  type        = string
  nullable    = false
}

variable "ruleset_file" {
  description = "YAML document that is in force at first. Later ones are deployed by `make rules-deploy`; Terraform leaves them alone."
  type        = string
  nullable    = false
}

variable "schema_file" {
  description = "JSON Schema, draft 4, of the document's shape: the first of the two validators."
  type        = string
  nullable    = false
}

variable "validator" {
  description = "The function rules_validator: the second validator, which runs the same check as `make rules-check`."
  type = object({
    function_name = string
    alias_name    = string
    alias_arn     = string
  })
  nullable = false
}

variable "rollback_alarm_arn" {
  description = "Alarm that takes a deployment back to the ruleset before it while it is rolled out or baked."
  type        = string
  nullable    = false
}

variable "rollout_minutes" {
  description = "How long it takes until a new ruleset is in force everywhere, in minutes. It starts with a tenth of the pollers and doubles."
  type        = number
  default     = 20
  nullable    = false
  validation {
    condition     = var.rollout_minutes >= 0 && var.rollout_minutes <= 1440 && floor(var.rollout_minutes) == var.rollout_minutes
    error_message = "rollout_minutes is ${var.rollout_minutes}; AppConfig takes whole minutes from 0 to 1440."
  }
}

variable "bake_minutes" {
  description = "How long the rollback alarm is still watched after that, in minutes."
  type        = number
  default     = 30
  nullable    = false
  validation {
    condition     = var.bake_minutes >= 0 && var.bake_minutes <= 1440 && floor(var.bake_minutes) == var.bake_minutes
    error_message = "bake_minutes is ${var.bake_minutes}; AppConfig takes whole minutes from 0 to 1440."
  }
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds the role, from bootstrap; null where the account has none."
  type        = string
  default     = null
}
