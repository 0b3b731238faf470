# The cache of profiles. It may be slow, empty or unavailable: score then uses history and rebuilds what is missing. So the cache is
# not a store of record, and a change is applied at once, not in a maintenance window.

locals {
  versions_by_engine = {
    valkey = ["7.2", "8.0", "8.1", "8.2"]
    redis  = ["7.0", "7.1"]
  }

  family       = "${var.engine}${split(".", var.engine_version)[0]}"
  port         = 6379
  cluster_mode = var.replicas.maximum > var.replicas.minimum
  group_id     = "${var.name}-profiles"

  host = local.cluster_mode ? (
    aws_elasticache_replication_group.this.configuration_endpoint_address
  ) : aws_elasticache_replication_group.this.primary_endpoint_address

  # ElastiCache's naming scheme, repeated here because its answer is known only after the first apply.
  node_ids = [
    for number in range(1, var.replicas.minimum + 2) :
    local.cluster_mode ? format("%s-0001-%03d", local.group_id, number) : format("%s-%03d", local.group_id, number)
  ]

  parameters = merge(
    {
      # Profiles and entities have a time to live. Profiles can be rebuilt, entities cannot; both are evicted by their last use. The marks of
      # what is folded into them have none and must stay.
      "maxmemory-policy"        = "volatile-lru"
      "slowlog-log-slower-than" = "10000" # microseconds; score's whole budget for a read is 750 ms
      "slowlog-max-len"         = "1024"
    },
    local.cluster_mode ? { "cluster-enabled" = "yes" } : {},
  )
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id = local.group_id
  description          = "Profiles of users, rebuilt from history if they are missing; entities, which are not."
  engine               = var.engine
  engine_version       = var.engine_version
  node_type            = var.node_type
  parameter_group_name = aws_elasticache_parameter_group.this.name
  port                 = local.port
  apply_immediately    = true

  cluster_mode            = local.cluster_mode ? "enabled" : "disabled"
  num_node_groups         = local.cluster_mode ? 1 : null
  replicas_per_node_group = local.cluster_mode ? var.replicas.minimum : null
  num_cache_clusters      = local.cluster_mode ? null : var.replicas.minimum + 1

  multi_az_enabled           = true
  automatic_failover_enabled = true
  # The version is raised by a change of engine_version alone. After an automatic upgrade the group would be newer than engine_version,
  # and the provider plans a lower version as a replacement (its engine_version.go), because ElastiCache never downgrades a group.
  auto_minor_version_upgrade = false
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [var.security_group_id]

  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  at_rest_encryption_enabled = true
  kms_key_id                 = var.data_key_arn
  user_group_ids             = [aws_elasticache_user_group.this.id]

  snapshot_name             = var.restore_snapshot
  snapshot_retention_limit  = var.snapshot_retention_days
  snapshot_window           = "03:00-04:00"
  maintenance_window        = "sun:04:30-sun:05:30"
  final_snapshot_identifier = var.enable_final_snapshot ? "${local.group_id}-${substr(terraform_data.life.id, 0, 8)}" : null

  dynamic "log_delivery_configuration" {
    for_each = aws_cloudwatch_log_group.this

    content {
      log_type         = log_delivery_configuration.key
      log_format       = "json"
      destination_type = "cloudwatch-logs"
      destination      = log_delivery_configuration.value.name
    }
  }

  lifecycle {
    # Autoscaling manages it above the minimum; without autoscaling it follows from num_cache_clusters.
    ignore_changes = [replicas_per_node_group]
  }
}

# Its id is new with each creation and kept after it. ElastiCache refuses a snapshot with a name that exists, so with a fixed name a
# second environment of the same name could not be destroyed. A group that is restored from a snapshot gets a new one, so that it can be
# replaced again.
resource "terraform_data" "life" {
  triggers_replace = var.restore_snapshot
}

resource "aws_elasticache_subnet_group" "this" {
  name        = local.group_id
  description = "Private subnets of ${var.name}."
  subnet_ids  = var.subnet_ids
}

# The name contains the family: an upgrade to the next major version creates the new group first, while the old one is in use.
resource "aws_elasticache_parameter_group" "this" {
  name        = "${local.group_id}-${local.family}${local.cluster_mode ? "-cluster" : ""}"
  family      = local.family
  description = "Profiles of ${var.name}."

  dynamic "parameter" {
    for_each = local.parameters

    content {
      name  = parameter.key
      value = parameter.value
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["slow-log", "engine-log"])

  name              = "/aws/elasticache/${local.group_id}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_key_arn
}
