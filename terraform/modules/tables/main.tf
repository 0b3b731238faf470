# The tables of functions/contract/tables.yaml. On demand by default, because traffic has peaks, and a table that throttles delays
# decisions. A cap on what one second can cost is far above the peak: it stops a loop, not a busy day.

locals {
  # DynamoDB requires every key attribute once, and no other attributes.
  key_types = {
    for name, table in var.definitions : name => {
      for key in concat(
        [table.partition_key, table.sort_key],
        flatten([for index in values(table.indexes) : [index.partition_key, index.sort_key]]),
      ) : key.name => key.type... if key != null
    }
  }
}

resource "aws_dynamodb_table" "this" {
  # checkov:skip=CKV2_AWS_16: on-demand tables need no autoscaling, and provisioned tables have it in autoscaling.tf.
  for_each = var.definitions

  name                        = "${var.name}-${each.key}"
  hash_key                    = each.value.partition_key.name
  range_key                   = one(each.value.sort_key[*].name)
  billing_mode                = contains(keys(var.provisioned_capacity), each.key) ? "PROVISIONED" : "PAY_PER_REQUEST"
  read_capacity               = one([for table, capacity in var.provisioned_capacity : capacity.read_minimum if table == each.key])
  write_capacity              = one([for table, capacity in var.provisioned_capacity : capacity.write_minimum if table == each.key])
  table_class                 = each.value.table_class
  stream_enabled              = each.value.stream_view != null
  stream_view_type            = each.value.stream_view
  deletion_protection_enabled = var.enable_deletion_protection

  dynamic "attribute" {
    for_each = local.key_types[each.key]

    content {
      name = attribute.key
      type = attribute.value[0]
    }
  }

  dynamic "on_demand_throughput" {
    for_each = contains(keys(var.provisioned_capacity), each.key) ? [] : var.on_demand_maximum[*]

    content {
      max_read_request_units  = on_demand_throughput.value.read_units
      max_write_request_units = on_demand_throughput.value.write_units
    }
  }

  dynamic "global_secondary_index" {
    for_each = each.value.indexes

    content {
      name               = global_secondary_index.key
      hash_key           = global_secondary_index.value.partition_key.name
      range_key          = one(global_secondary_index.value.sort_key[*].name)
      projection_type    = global_secondary_index.value.projection
      read_capacity      = one([for table, capacity in var.provisioned_capacity : capacity.indexes[global_secondary_index.key].read if table == each.key])
      write_capacity     = one([for table, capacity in var.provisioned_capacity : capacity.indexes[global_secondary_index.key].write if table == each.key])
      non_key_attributes = global_secondary_index.value.attributes

      dynamic "on_demand_throughput" {
        for_each = contains(keys(var.provisioned_capacity), each.key) ? [] : var.on_demand_maximum[*]

        content {
          max_read_request_units  = on_demand_throughput.value.read_units
          max_write_request_units = on_demand_throughput.value.write_units
        }
      }
    }
  }

  dynamic "ttl" {
    for_each = each.value.time_to_live_attribute[*]

    content {
      enabled        = true
      attribute_name = ttl.value
    }
  }

  point_in_time_recovery {
    enabled                 = true
    recovery_period_in_days = var.recovery_days
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.data_key_arn
  }

  lifecycle {
    # Autoscaling changes them; on demand they are 0, with any setting here.
    ignore_changes = [read_capacity, write_capacity]
  }
}
