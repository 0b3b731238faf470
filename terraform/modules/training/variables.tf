variable "name" {
  description = "Prefix of every name, such as `fraud-dev`."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}[a-z0-9]$", var.name))
    error_message = "name is \"${var.name}\"; it must be 3 to 29 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "trainer_arns" {
  description = "ARNs of the IAM roles or users that may take the role of the trainers."
  type        = list(string)
  nullable    = false
  validation {
    condition     = length(var.trainer_arns) > 0 && alltrue([for arn in var.trainer_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "trainer_arns is ${jsonencode(var.trainer_arns)}; it takes one ARN of an IAM role or user at least, without a wildcard."
  }
}

variable "table_arns" {
  description = "By interface name: ARNs of the tables to export, labels and transaction_history (modules/exports)."
  type        = map(string)
  nullable    = false
}

variable "rules_bucket" {
  description = "The bucket of rulesets and models: its name and its ARN."
  type        = object({ name = string, arn = string })
  nullable    = false
}

variable "instance_type" {
  description = "SageMaker's instance of a job. It needs 8 GiB of memory; more than 2 processors make only the fit faster. One with a local disk is refused: it takes no customer key."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^ml\\.(m|c|r)[4-9][a-z]*\\.[0-9]*x?large$", var.instance_type)) && !can(regex("^ml\\.[a-z]+[0-9]+[a-z]*d[a-z]*\\.", var.instance_type)) && !can(regex("^ml\\.[a-z]+[0-9]+[a-z]*g", var.instance_type))
    error_message = "instance_type is \"${var.instance_type}\"; it must be a general instance with x86 processors and without a local disk, such as ml.m5.xlarge."
  }
}

variable "volume_gib" {
  description = "Disk of a job, in GiB. Both exports are copied to it, compressed: about a third of the tables' size."
  type        = number
  nullable    = false
  validation {
    condition     = var.volume_gib >= 10 && var.volume_gib <= 16384 && floor(var.volume_gib) == var.volume_gib
    error_message = "volume_gib is ${var.volume_gib}; it must be a whole number from 10 to 16384."
  }
}

variable "maximum_hours" {
  description = "Hours after which SageMaker stops a job: the most that one can cost."
  type        = number
  nullable    = false
  validation {
    condition     = var.maximum_hours >= 1 && var.maximum_hours <= 120 && floor(var.maximum_hours) == var.maximum_hours
    error_message = "maximum_hours is ${var.maximum_hours}; SageMaker takes up to 5 days, so it must be a whole number from 1 to 120."
  }
}

variable "vpc_arn" {
  description = "ARN of the VPC of the subnets."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "Private subnets of a job, with a route to S3's gateway endpoint."
  type        = list(string)
  nullable    = false
}

variable "security_group_id" {
  description = "Security group of a job: it reaches S3 and nothing else."
  type        = string
  nullable    = false
}

variable "access_log_bucket" {
  description = "Bucket that records who read or wrote the exports."
  type        = string
  nullable    = false
}

variable "data_key_arn" {
  description = "ARN of the KMS key of the tables, the exports, the job's disk and the models."
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
