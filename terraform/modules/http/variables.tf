variable "name" {
  description = "Name of the API and of what belongs to it, such as `fraud-dev-console`."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,60}[a-z0-9]$", var.name))
    error_message = "name is ${var.name}; it must be 3 to 62 characters of a-z, 0-9 and -, starting with a letter."
  }
}

variable "function" {
  description = "The function that answers: its name, and the alias that is called."
  type        = object({ function_name = string, alias_name = string, alias_arn = string })
  nullable    = false
}

variable "access" {
  description = <<-EOT
    Who may reach the API. `endpoint_type`: PRIVATE, through an interface endpoint of execute-api, or REGIONAL, with a public name.
    `allowed_cidrs`: IPv4 networks of people's browsers as the endpoint, or the internet, sees them. `vpc_endpoint_id`: of a private
    API, an endpoint that exists; null makes one in `vpc`.
  EOT
  type = object({
    endpoint_type   = string
    allowed_cidrs   = list(string)
    vpc_endpoint_id = optional(string)
  })
  nullable = false
  validation {
    condition     = contains(["PRIVATE", "REGIONAL"], var.access.endpoint_type)
    error_message = "access.endpoint_type is ${var.access.endpoint_type}; it must be PRIVATE or REGIONAL."
  }
  validation {
    condition     = length(var.access.allowed_cidrs) > 0
    error_message = "access.allowed_cidrs is empty; name the networks of the people, or nobody can open the console."
  }
  validation {
    condition     = alltrue([for cidr in var.access.allowed_cidrs : can(regex("^[0-9.]+/[0-9]+$", cidr)) && can(cidrhost(cidr, 0)) && try(cidrhost(cidr, 0) == split("/", cidr)[0], false)])
    error_message = "access.allowed_cidrs has ${join(", ", var.access.allowed_cidrs)}; each must be an IPv4 network by its first address, such as 203.0.113.0/24."
  }
  validation {
    # 0.0.0.0/0 is the internet, and so are two halves of it.
    condition     = alltrue([for cidr in var.access.allowed_cidrs : try(tonumber(split("/", cidr)[1]), 0) >= (var.access.endpoint_type == "REGIONAL" ? 16 : 8)])
    error_message = "access.allowed_cidrs has ${join(", ", var.access.allowed_cidrs)}; no network may be larger than /${var.access.endpoint_type == "REGIONAL" ? 16 : 8} for a ${var.access.endpoint_type} API: the console is never open to everybody."
  }
  validation {
    condition     = var.access.endpoint_type != "REGIONAL" || alltrue([for cidr in var.access.allowed_cidrs : !can(regex("^(10\\.|192\\.168\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.)", cidr))])
    error_message = "access.allowed_cidrs has ${join(", ", var.access.allowed_cidrs)}; a REGIONAL API sees public addresses, so a private network would let nobody in."
  }
  validation {
    condition     = var.access.vpc_endpoint_id == null ? true : can(regex("^vpce-[0-9a-f]{8,17}$", var.access.vpc_endpoint_id)) && var.access.endpoint_type == "PRIVATE"
    error_message = "access.vpc_endpoint_id is ${coalesce(var.access.vpc_endpoint_id, "null")} for a ${var.access.endpoint_type} API; it takes the id of an interface endpoint, such as vpce-0123456789abcdef0, and only for a PRIVATE one."
  }
}

variable "vpc" {
  description = "The system's VPC and its private subnets, for the endpoint of a private API that is made here."
  type        = object({ id = string, subnet_ids = list(string) })
  nullable    = false
}

variable "metrics_namespace" {
  description = "CloudWatch namespace of what is counted in the access log."
  type        = string
  nullable    = false
}

variable "logs_key_arn" {
  description = "KMS key of the access log."
  type        = string
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that the access log keeps a request."
  type        = number
  nullable    = false
}
