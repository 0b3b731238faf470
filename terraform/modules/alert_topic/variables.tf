variable "name" {
  description = "Prefix of the topic's name, such as `fraud-dev`; a hyphen is added."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}[a-z0-9]$", var.name))
    error_message = "name is \"${var.name}\"; it must be 3 to 29 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "topic" {
  description = "Name of the topic within the environment, such as `fraud-alerts`."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z-]{0,15}$", var.topic))
    error_message = "topic is \"${var.topic}\"; it must be 1 to 16 lower-case letters and hyphens, starting with a letter."
  }
}

variable "display_name" {
  description = "Sender of a message, in e-mail and at the start of an SMS, which shows the first 10 characters."
  type        = string
  nullable    = false
  validation {
    condition     = length(var.display_name) >= 1 && length(var.display_name) <= 100
    error_message = "display_name has ${length(var.display_name)} characters; SNS allows 1 to 100."
  }
}

variable "publishing_services" {
  description = "AWS services that publish without a role, such as `cloudwatch.amazonaws.com` for alarms; only on behalf of this account."
  type        = set(string)
  default     = []
  nullable    = false
  validation {
    condition     = alltrue([for service in var.publishing_services : endswith(service, ".amazonaws.com")])
    error_message = "publishing_services is ${join(", ", var.publishing_services)}; each is a service principal, such as cloudwatch.amazonaws.com."
  }
}

variable "subscriptions" {
  description = <<-EOT
    Subscribers: any name to protocol and endpoint. `email` (confirmed by the addressee), `sms` (+ and digits), `sqs`
    and `lambda` (ARN), `https` (URL), `firehose` (ARN; `role_arn` writes to it). `filter_policy` selects messages whose attributes (severity,
    decision, country, rule_ids) have one of the values; without it, all messages are sent. `raw` omits SNS's envelope, for sqs, https and firehose.
    Messages that cannot be delivered go to `redrive_queue_arn`, or to a queue that is created for the subscription.
  EOT
  type = map(object({
    protocol          = string
    endpoint          = string
    filter_policy     = optional(map(list(string)), {})
    raw               = optional(bool, false)
    role_arn          = optional(string)
    redrive_queue_arn = optional(string)
  }))
  default  = {}
  nullable = false
  validation {
    condition     = alltrue([for name in keys(var.subscriptions) : can(regex("^[a-z][a-z0-9-]{0,19}$", name))])
    error_message = "subscriptions: ${join(", ", [for name in keys(var.subscriptions) : name if !can(regex("^[a-z][a-z0-9-]{0,19}$", name))])}: a name has 1 to 20 lower-case letters, digits and hyphens, starting with a letter."
  }
  validation {
    condition     = alltrue([for subscription in values(var.subscriptions) : contains(keys(local.endpoint_pattern_by_protocol), subscription.protocol)])
    error_message = "subscriptions: protocol of ${join(", ", [for name, subscription in var.subscriptions : name if !contains(keys(local.endpoint_pattern_by_protocol), subscription.protocol)])} is not one of ${join(", ", keys(local.endpoint_pattern_by_protocol))}."
  }
  validation {
    condition = alltrue([
      for subscription in values(var.subscriptions) :
      can(regex(lookup(local.endpoint_pattern_by_protocol, subscription.protocol, ""), subscription.endpoint))
    ])
    error_message = "subscriptions: endpoint of ${join(", ", [for name, subscription in var.subscriptions : name if !can(regex(lookup(local.endpoint_pattern_by_protocol, subscription.protocol, ""), subscription.endpoint))])} does not match its protocol: email needs an address, sms a + and digits, https a URL, sqs, lambda and firehose an ARN."
  }
  validation {
    condition     = alltrue([for subscription in values(var.subscriptions) : length(subscription.filter_policy) <= 4 && !contains(keys(subscription.filter_policy), local.canary_attribute)])
    error_message = "subscriptions: filter_policy of ${join(", ", [for name, subscription in var.subscriptions : name if length(subscription.filter_policy) > 4 || contains(keys(subscription.filter_policy), local.canary_attribute)])} has more than 4 attributes, or `${local.canary_attribute}`: SNS takes 5, and that one filters out the canary's messages."
  }
  validation {
    condition     = alltrue([for subscription in values(var.subscriptions) : !subscription.raw || contains(["sqs", "https", "firehose"], subscription.protocol)])
    error_message = "subscriptions: raw of ${join(", ", [for name, subscription in var.subscriptions : name if subscription.raw && !contains(["sqs", "https", "firehose"], subscription.protocol)])}: SNS sends raw messages to sqs, https and firehose only."
  }
  validation {
    condition     = alltrue([for subscription in values(var.subscriptions) : (subscription.protocol == "firehose") == (subscription.role_arn != null)])
    error_message = "subscriptions: role_arn of ${join(", ", [for name, subscription in var.subscriptions : name if(subscription.protocol == "firehose") != (subscription.role_arn != null)])}: a firehose subscription needs one, others have none."
  }
}

variable "has_canary" {
  description = "Whether the canary's messages are published to the topic; then each of `subscriptions` filters them out."
  type        = bool
  default     = false
  nullable    = false
}

variable "alerts_key_arn" {
  description = "ARN of the KMS key of the topic and its redrive queues. Its policy must allow SNS and each of `publishing_services`."
  type        = string
  nullable    = false
}

variable "logs_key_arn" {
  description = "ARN of the KMS key of the delivery logs."
  type        = string
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that delivery logs are kept."
  type        = number
  nullable    = false
}

variable "success_sample_percent" {
  description = "Share of successful deliveries that is logged, in percent. All failures are logged."
  type        = number
  default     = 100
  nullable    = false
  validation {
    condition     = var.success_sample_percent >= 0 && var.success_sample_percent <= 100
    error_message = "success_sample_percent is ${var.success_sample_percent}; it must be 0 to 100."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the role's permissions boundary, from bootstrap; null if the account has none."
  type        = string
  default     = null
}
