variable "name" {
  description = "Prefix of names, such as `fraud-dev`."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}[a-z0-9]$", var.name))
    error_message = "name is \"${var.name}\"; it must be 3 to 29 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "access_file" {
  description = "What the functions' user may do: a YAML file with patterns of `keys` and with `commands`."
  type        = string
  nullable    = false
}

variable "engine" {
  description = "`valkey` or `redis`. Redis OSS is changed to Valkey in place. The way back creates a new group, and profiles are rebuilt from history."
  type        = string
  default     = "valkey"
  nullable    = false
  validation {
    condition     = contains(["valkey", "redis"], var.engine)
    error_message = "engine is \"${var.engine}\"; it must be valkey or redis."
  }
}

variable "engine_version" {
  description = "Major and minor version: Valkey 7.2 to 8.2, Redis OSS 7.0 or 7.1. Raised in place, with a failover of seconds."
  type        = string
  default     = "8.0"
  nullable    = false
  validation {
    condition     = contains(lookup(local.versions_by_engine, var.engine, []), var.engine_version)
    error_message = "engine_version is \"${var.engine_version}\"; ${var.engine} allows ${join(", ", lookup(local.versions_by_engine, var.engine, []))}."
  }
}

variable "node_type" {
  description = "Size of each node; changed online. Every node holds all profiles: count 4 KiB a user who pays within the retention, in three quarters of its memory. ElastiCache reserves the rest (reserved-memory-percent)."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.node_type))
    error_message = "node_type is \"${var.node_type}\"; ElastiCache names sizes like cache.r7g.large."
  }
}

variable "replicas" {
  description = <<-EOT
    Replicas behind the primary, in other zones: `minimum` to `maximum`. If the two differ, ElastiCache scales between them. It
    scales only in cluster mode, so the group is then created in cluster mode with one shard. The mode of an existing group cannot change.
    The functions read and write at the primary, so replicas are for failover, and more than one in each other zone carry no load.
  EOT
  type = object({
    minimum = number
    maximum = number
  })
  nullable = false
  validation {
    condition     = var.replicas.minimum >= 1 && var.replicas.minimum <= 5
    error_message = "replicas.minimum is ${var.replicas.minimum}; it must be 1 (without one there is no failover) to 5."
  }
  validation {
    condition     = var.replicas.maximum >= var.replicas.minimum && var.replicas.maximum <= 5
    error_message = "replicas.maximum is ${var.replicas.maximum}; it must be replicas.minimum (${var.replicas.minimum}) to 5."
  }
  validation {
    condition = (
      var.replicas.minimum == var.replicas.maximum ||
      can(regex("^cache\\.(r7g|r6g|r6gd|r5|m7g|m6g|m5|c7gn)\\.(large|[0-9]*xlarge)$", var.node_type))
    )
    error_message = "replicas is ${var.replicas.minimum} to ${var.replicas.maximum}, but ElastiCache does not scale ${var.node_type}; it scales r7g, r6g, r6gd, r5, m7g, m6g, m5 and c7gn from large up."
  }
}

variable "subnet_ids" {
  description = "Private subnets of the nodes, one for each zone."
  type        = list(string)
  nullable    = false
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids has ${length(var.subnet_ids)} subnets; a group in several zones needs two or more."
  }
}

variable "security_group_id" {
  description = "Security group of the nodes."
  type        = string
  nullable    = false
}

variable "data_key_arn" {
  description = "ARN of the KMS key of the nodes' disks and snapshots."
  type        = string
  nullable    = false
}

variable "logs_key_arn" {
  description = "ARN of the KMS key of the slow log's and the engine log's groups."
  type        = string
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that the slow log and the engine log are kept."
  type        = number
  nullable    = false
}

variable "snapshot_retention_days" {
  description = "Days that daily snapshots are kept. They shorten a rebuild of profiles; the weeks that entities count are in them alone."
  type        = number
  default     = 7
  nullable    = false
  validation {
    condition     = var.snapshot_retention_days >= 1 && var.snapshot_retention_days <= 35
    error_message = "snapshot_retention_days is ${var.snapshot_retention_days}; ElastiCache allows 1 to 35; 0 would disable snapshots."
  }
}

variable "enable_final_snapshot" {
  description = "Whether a last snapshot is kept when the group is destroyed."
  type        = bool
  nullable    = false
}

variable "restore_snapshot" {
  description = "Name of a snapshot that the group is created with, `<name>-...`; null for an empty group. A change, to null too, replaces the group."
  type        = string
  default     = null
  validation {
    condition     = var.restore_snapshot == null ? true : startswith(var.restore_snapshot, "${var.name}-")
    error_message = "restore_snapshot is \"${coalesce(var.restore_snapshot, "null")}\"; it must begin with ${var.name}-. ElastiCache deletes automatic snapshots with their group, so copy one first."
  }
}
