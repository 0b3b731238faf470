# Adds replicas while the existing ones are busy. There is one shard: score writes a batch's profiles and marks in one script, which is
# atomic only within a shard. More memory needs a larger node (decision 0016).

resource "aws_appautoscaling_target" "replicas" {
  count = local.cluster_mode ? 1 : 0

  service_namespace  = "elasticache"
  scalable_dimension = "elasticache:replication-group:Replicas"
  resource_id        = "replication-group/${aws_elasticache_replication_group.this.id}"
  min_capacity       = var.replicas.minimum
  max_capacity       = var.replicas.maximum
}

resource "aws_appautoscaling_policy" "replicas" {
  count = local.cluster_mode ? 1 : 0

  name               = "${local.group_id}-replicas"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.replicas[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.replicas[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.replicas[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_out_cooldown = 300
    scale_in_cooldown  = 900

    predefined_metric_specification {
      predefined_metric_type = "ElastiCacheReplicaEngineCPUUtilization"
    }
  }
}
