# Autoscaling of tables with provisioned capacity, between the minimum and the maximum of the environment.

locals {
  scaled = merge([
    for table, capacity in var.provisioned_capacity : {
      "${table}/read" = {
        table     = table
        dimension = "dynamodb:table:ReadCapacityUnits"
        metric    = "DynamoDBReadCapacityUtilization"
        minimum   = capacity.read_minimum
        maximum   = capacity.read_maximum
        target    = capacity.target_percent
      }
      "${table}/write" = {
        table     = table
        dimension = "dynamodb:table:WriteCapacityUnits"
        metric    = "DynamoDBWriteCapacityUtilization"
        minimum   = capacity.write_minimum
        maximum   = capacity.write_maximum
        target    = capacity.target_percent
      }
    }
  ]...)
}

resource "aws_appautoscaling_target" "capacity" {
  for_each = local.scaled

  service_namespace  = "dynamodb"
  scalable_dimension = each.value.dimension
  resource_id        = "table/${aws_dynamodb_table.this[each.value.table].name}"
  min_capacity       = each.value.minimum
  max_capacity       = each.value.maximum
}

resource "aws_appautoscaling_policy" "capacity" {
  for_each = local.scaled

  name               = "${aws_dynamodb_table.this[each.value.table].name}-${split("/", each.key)[1]}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.capacity[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.capacity[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.capacity[each.key].resource_id

  target_tracking_scaling_policy_configuration {
    target_value = each.value.target

    predefined_metric_specification {
      predefined_metric_type = each.value.metric
    }
  }
}
