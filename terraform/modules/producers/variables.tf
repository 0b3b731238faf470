variable "name" {
  description = "Prefix of every name, such as `fraud-dev`."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}[a-z0-9]$", var.name))
    error_message = "name is \"${var.name}\"; it must be 3 to 29 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "producers" {
  description = <<-EOT
    Services that write to the topic, by any name. `principal_arns`: the IAM roles or users, of this account or another, that may take on
    the producer's role.
  EOT
  type = map(object({
    principal_arns = list(string)
  }))
  default  = {}
  nullable = false
  validation {
    condition     = alltrue([for name in keys(var.producers) : can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", name))])
    error_message = "producers: ${join(", ", [for name in keys(var.producers) : name if !can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", name))])} must be 2 to 24 lower-case letters, digits and hyphens."
  }
  validation {
    condition     = alltrue([for producer in values(var.producers) : length(producer.principal_arns) > 0])
    error_message = "producers: ${join(", ", [for name, producer in var.producers : name if length(producer.principal_arns) == 0])} has no principal_arns; name who takes on the role."
  }
  validation {
    condition     = alltrue([for arn in flatten(values(var.producers)[*].principal_arns) : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/[^*]+$", arn))])
    error_message = "producers: ${join(", ", [for arn in flatten(values(var.producers)[*].principal_arns) : arn if !can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/[^*]+$", arn))])} must be the ARN of one role or user; a whole account or a wildcard is refused."
  }
}

variable "kafka" {
  description = "The cluster's ARN, the topic and its ARN."
  type = object({
    cluster_arn = string
    topic       = string
    topic_arn   = string
  })
  nullable = false
}

variable "label_producers" {
  description = <<-EOT
    Who sends labels of payments, by any name: services and people. `principal_arns`: the IAM roles or users, of this account or another,
    that may take on the producer's role. Its files are those below `labels/<name>/` of the landing bucket.
  EOT
  type = map(object({
    principal_arns = list(string)
  }))
  default  = {}
  nullable = false
  validation {
    condition     = alltrue([for name in keys(var.label_producers) : can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", name))])
    error_message = "label_producers: ${join(", ", [for name in keys(var.label_producers) : name if !can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", name))])} must be 2 to 24 lower-case letters, digits and hyphens."
  }
  validation {
    condition     = alltrue([for producer in values(var.label_producers) : length(producer.principal_arns) > 0])
    error_message = "label_producers: ${join(", ", [for name, producer in var.label_producers : name if length(producer.principal_arns) == 0])} has no principal_arns; name who takes on the role."
  }
  validation {
    condition     = alltrue([for arn in flatten(values(var.label_producers)[*].principal_arns) : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/[^*]+$", arn))])
    error_message = "label_producers: ${join(", ", [for arn in flatten(values(var.label_producers)[*].principal_arns) : arn if !can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/[^*]+$", arn))])} must be the ARN of one role or user; a whole account or a wildcard is refused."
  }
}

variable "label_queue" {
  description = "The labels queue's ARN, and that of the key that encrypts it."
  type = object({
    arn     = string
    key_arn = string
  })
  nullable = false
}

variable "landing_bucket_arn" {
  description = "ARN of the landing bucket, in which producers of labels drop files; it has the key of `label_queue`."
  type        = string
  nullable    = false
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the roles; null for none."
  type        = string
  default     = null
}
