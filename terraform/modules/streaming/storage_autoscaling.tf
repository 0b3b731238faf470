# A full disk stops a broker. MSK increases all disks together, at most every six hours, and never shrinks them.

resource "aws_appautoscaling_target" "storage" {
  count = local.provisioned ? 1 : 0

  service_namespace  = "kafka"
  scalable_dimension = "kafka:broker-storage:VolumeSize"
  resource_id        = local.cluster_arn
  min_capacity       = 1 # the only value that MSK allows
  max_capacity       = var.brokers.volume_maximum_gib
}

resource "aws_appautoscaling_policy" "storage" {
  count = local.provisioned ? 1 : 0

  name               = "${var.name}-broker-storage"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.storage[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.storage[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.storage[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value     = 60
    disable_scale_in = true

    predefined_metric_specification {
      predefined_metric_type = "KafkaBrokerStorageUtilization"
    }
  }
}
