variable "name" {
  description = "Name of the cluster, such as `fraud-dev`."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}[a-z0-9]$", var.name))
    error_message = "name is \"${var.name}\"; it must be 3 to 29 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "capacity_mode" {
  description = "`provisioned`: we choose the brokers. `serverless`: AWS scales, and bills by partition and volume. A change creates a new cluster."
  type        = string
  default     = "provisioned"
  nullable    = false
  validation {
    condition     = contains(["provisioned", "serverless"], var.capacity_mode)
    error_message = "capacity_mode is \"${var.capacity_mode}\"; it must be provisioned or serverless."
  }
}

variable "kafka_version" {
  description = "Version of provisioned brokers. Raised in place, broker by broker; never lowered, and never from ZooKeeper to KRaft."
  type        = string
  default     = "3.9.x.kraft"
  nullable    = false
  validation {
    condition     = can(regex("^[3-9]\\.[0-9]+\\.(x|[0-9]+)(\\.kraft)?$", var.kafka_version))
    error_message = "kafka_version is \"${var.kafka_version}\"; MSK names versions like 3.9.x.kraft."
  }
}

variable "brokers" {
  description = <<-EOT
    Provisioned brokers. `instance_type`: MSK's name of the size; changed in place, broker by broker. `per_zone`: brokers in each
    of the three zones; MSK can add brokers, not remove them. `volume_gib`: disk of each broker when created. Storage autoscaling raises it
    up to `volume_maximum_gib` at 60 % use, and MSK never shrinks it.
  EOT
  type = object({
    instance_type      = string
    per_zone           = optional(number, 1)
    volume_gib         = number
    volume_maximum_gib = number
  })
  nullable = false
  validation {
    condition     = can(regex("^kafka\\.[a-z0-9]+\\.[a-z0-9]+$", var.brokers.instance_type))
    error_message = "brokers.instance_type is \"${var.brokers.instance_type}\"; MSK names sizes like kafka.m7g.large."
  }
  validation {
    condition     = var.brokers.per_zone >= 1 && var.brokers.per_zone <= 10 && floor(var.brokers.per_zone) == var.brokers.per_zone
    error_message = "brokers.per_zone is ${var.brokers.per_zone}; it must be a whole number from 1 to 10, because MSK allows 30 brokers in three zones."
  }
  validation {
    condition     = var.brokers.volume_gib >= 1 && var.brokers.volume_gib <= 16384
    error_message = "brokers.volume_gib is ${var.brokers.volume_gib}; MSK allows 1 to 16384."
  }
  validation {
    condition     = var.brokers.volume_maximum_gib >= var.brokers.volume_gib && var.brokers.volume_maximum_gib <= 16384
    error_message = "brokers.volume_maximum_gib is ${var.brokers.volume_maximum_gib}; it must be volume_gib (${var.brokers.volume_gib}) to 16384."
  }
}

variable "subnet_ids" {
  description = "Private subnets, one in each of the three zones."
  type        = list(string)
  nullable    = false
  validation {
    condition     = length(var.subnet_ids) == 3
    error_message = "subnet_ids has ${length(var.subnet_ids)} subnets; one in each of three zones is needed."
  }
}

variable "security_group_id" {
  description = "Security group of the brokers, and of Lambda's event pollers in their subnets."
  type        = string
  nullable    = false
}

variable "data_key_arn" {
  description = "ARN of the KMS key of the brokers' disks. Not used by MSK Serverless, which encrypts with its own key."
  type        = string
  nullable    = false
}

variable "logs_key_arn" {
  description = "ARN of the KMS key of the brokers' log group."
  type        = string
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that broker logs are kept."
  type        = number
  nullable    = false
}
