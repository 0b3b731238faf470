variable "name" {
  description = "Prefix of names, such as `fraud-dev`."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}[a-z0-9]$", var.name))
    error_message = "name is \"${var.name}\"; it must be 3 to 29 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "availability_zones" {
  description = "The three zones of all resources. They are named, not looked up, so that a new zone in the region moves nothing."
  type        = list(string)
  nullable    = false
  validation {
    condition     = length(distinct(var.availability_zones)) == 3 && length(var.availability_zones) == 3
    error_message = "availability_zones is ${join(", ", var.availability_zones)}; three different zones are needed."
  }
}

variable "cidr_block" {
  description = "The VPC's IPv4 range. Each zone's subnet is a sixteenth of it; there is no route to it from outside."
  type        = string
  nullable    = false
  validation {
    condition     = can(cidrhost(var.cidr_block, 0)) && can(regex("/(1[6-9]|2[0-2])$", var.cidr_block))
    error_message = "cidr_block is \"${var.cidr_block}\"; an IPv4 range of /16 to /22 is needed, such as 10.20.0.0/16."
  }
}

variable "endpoint_zone_count" {
  description = "Number of zones of each interface endpoint. 3 survives the loss of a zone; 1 costs a third, enough for an environment without payments."
  type        = number
  default     = 3
  nullable    = false
  validation {
    condition     = contains([1, 2, 3], var.endpoint_zone_count)
    error_message = "endpoint_zone_count is ${var.endpoint_zone_count}; it must be 1, 2 or 3."
  }
}

variable "logs_key_arn" {
  description = "ARN of the KMS key of the flow log's group."
  type        = string
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that the flow log is kept."
  type        = number
  nullable    = false
}

variable "permissions_boundary_arn" {
  description = "ARN of the role's permissions boundary, from bootstrap; null if the account has none."
  type        = string
  default     = null
}
