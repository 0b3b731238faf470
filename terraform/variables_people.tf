# The settings of what people use beside the payments: the console with its audit trail, lists of cards, trainings and backtests.

variable "console" {
  description = <<-EOT
    The console, where people decide on what was flagged (docs/guide-console.md); null, the default, for none. `endpoint_type`: PRIVATE,
    reached through an interface endpoint, or REGIONAL, with a public name. `allowed_cidrs`: networks of people's browsers, as the
    endpoint or the internet sees them. `vpc_endpoint_id`: of a PRIVATE one, an endpoint of execute-api in a network of the people; null
    makes one in the system's VPC, which somebody must connect.
  EOT
  type = object({
    endpoint_type   = string
    allowed_cidrs   = list(string)
    vpc_endpoint_id = optional(string)
  })
  default = null
}

variable "audit_heads" {
  description = <<-EOT
    How the heads of the console's audit chains, which are kept each hour, are locked. `lock_mode`: in COMPLIANCE nobody can delete a head,
    shorten its lock, or destroy the bucket before the locks end; in GOVERNANCE whoever has `s3:BypassGovernanceRetention` can.
    `retention_days`: how long each head is locked. After that it stays, and can be deleted.
  EOT
  type = object({
    lock_mode      = optional(string, "GOVERNANCE")
    retention_days = optional(number, 30)
  })
  default  = {}
  nullable = false
  validation {
    condition     = var.environment != "prod" || (var.audit_heads.lock_mode == "COMPLIANCE" && var.audit_heads.retention_days >= 365)
    error_message = "audit_heads is ${var.audit_heads.lock_mode} for ${var.audit_heads.retention_days} days; ${var.environment} needs COMPLIANCE for a year at least, or an administrator can delete what shows that the audit trail was changed."
  }
}

variable "list_editor_arns" {
  description = "ARNs of the IAM roles or users that may take the role `<project>-<environment>-list-editors`, which asks for tokens of card numbers (docs/guide-stolen-cards.md). Empty: nobody may."
  type        = list(string)
  default     = []
  nullable    = false
  validation {
    condition     = alltrue([for arn in var.list_editor_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "list_editor_arns has ${join(", ", var.list_editor_arns)}; each takes the ARN of an IAM role or user, without a wildcard."
  }
}

variable "training" {
  description = <<-EOT
    Training of models on what the system has stored, by `make train ENV=` (docs/guide-training.md); null, the default, for none. `trainer_arns`: the IAM
    roles or users that may take the role `<project>-<environment>-trainers`, which asks for trainings and reads proposed models.
    `instance_type`, `volume_gib`, `maximum_hours`: of a SageMaker training job.
  EOT
  type = object({
    trainer_arns  = list(string)
    instance_type = optional(string, "ml.m5.xlarge")
    volume_gib    = optional(number, 50)
    maximum_hours = optional(number, 12)
  })
  default = null
}

variable "backtest" {
  description = <<-EOT
    Backtests over stored payments, by `make backtest ENV=` (docs/guide-backtest-rows.md); null, the default, for none. At rest they cost
    nothing but a bucket. `maximum_workers`: of a run, 4 processors each, the driver included.
  EOT
  type        = object({ maximum_workers = optional(number, 10) })
  default     = null
}
