# Event source mappings of the topic and of tables' streams, at most one a function. That of a queue is in queue.tf; a trigger of type
# `invoke` or `schedule` has none.

locals {
  # A literal, or {ref: topic.retention}. An unknown reference is null here, and the mapping below refuses it.
  maximum_record_age_seconds = try(tonumber(local.trigger.maximum_record_age_seconds), tonumber(lookup(var.references, local.trigger.maximum_record_age_seconds.ref, null)), null)

  kafka_triggers  = { for trigger in [local.trigger] : trigger.topic => trigger if trigger.type == "kafka" }
  stream_triggers = { for trigger in [local.trigger] : trigger.table => trigger if trigger.type == "dynamodb_stream" }
}

resource "aws_iam_role_policy" "kafka_source" {
  # EC2's actions on network interfaces cannot be limited to a resource; the function's own code is denied them (decision 0013)
  for_each = local.kafka_triggers

  name = "source"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "FindBrokers"
        Effect   = "Allow"
        Action   = ["kafka:DescribeCluster", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers"]
        Resource = [var.targets.kafka.cluster_arn]
      },
      {
        Sid      = "ConnectAsConsumer"
        Effect   = "Allow"
        Action   = ["kafka-cluster:Connect", "kafka-cluster:DescribeClusterDynamicConfiguration"]
        Resource = [var.targets.kafka.cluster_arn]
      },
      {
        Sid      = "ReadTopic"
        Effect   = "Allow"
        Action   = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"]
        Resource = [local.kafka_topic_arns[each.key]]
      },
      {
        Sid      = "CommitOffsets"
        Effect   = "Allow"
        Action   = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"]
        Resource = ["${local.kafka_group_arn_start}/${each.value.consumer_group}"]
      },
      {
        # The pollers are in the cluster's own subnets.
        Sid    = "PlacePollers"
        Effect = "Allow"
        Action = [
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSecurityGroups",
          "ec2:DescribeSubnets",
          "ec2:DescribeVpcs",
        ]
        Resource = ["*"]
      },
    ]
  })
}

resource "aws_lambda_event_source_mapping" "kafka" {
  for_each = local.kafka_triggers

  event_source_arn                   = var.targets.kafka.cluster_arn
  function_name                      = aws_lambda_alias.live.arn
  enabled                            = var.enable_pollers
  topics                             = [var.created_kafka_topics[each.key]]
  starting_position                  = each.value.starting_position
  batch_size                         = each.value.batch_size
  maximum_batching_window_in_seconds = each.value.batch_window_seconds
  bisect_batch_on_function_error     = each.value.bisect_on_error
  maximum_retry_attempts             = each.value.maximum_retries
  maximum_record_age_in_seconds      = local.maximum_record_age_seconds
  function_response_types            = each.value.report_batch_item_failures ? ["ReportBatchItemFailures"] : []

  amazon_managed_kafka_event_source_config {
    consumer_group_id = each.value.consumer_group # fixed, so that a recreated mapping continues at the group's offsets
  }

  # Kafka mappings have retries, bisecting and partial failures in provisioned mode only.
  provisioned_poller_config {
    minimum_pollers = each.value.pollers.minimum
    maximum_pollers = each.value.pollers.maximum
  }

  # Beside a destination, Lambda ends endless retries of a Kafka mapping after 10.
  dynamic "destination_config" {
    for_each = each.value.on_failure == "dead_letter" ? [aws_sqs_queue.dead_letter.arn] : []
    content {
      on_failure {
        destination_arn = destination_config.value
      }
    }
  }

  dynamic "filter_criteria" {
    for_each = contains(keys(each.value), "filter") ? [each.value.filter] : []
    content {
      filter {
        pattern = jsonencode(filter_criteria.value)
      }
    }
  }

  lifecycle {
    precondition {
      condition     = local.maximum_record_age_seconds != null
      error_message = "functions/${var.function}/function.yaml: trigger.maximum_record_age_seconds has an unknown reference: ${try(local.trigger.maximum_record_age_seconds.ref, "none")}."
    }
  }

  depends_on = [aws_iam_role_policy.kafka_source, aws_iam_role_policy.access]
}

resource "aws_iam_role_policy" "stream_source" {
  # ListStreams cannot be limited to a resource, and Lambda refuses a mapping without it (decision 0013)
  for_each = local.stream_triggers

  name = "source"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadStream"
        Effect   = "Allow"
        Action   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
        Resource = [var.targets.tables[each.key].stream_arn]
      },
      {
        Sid      = "FindStream"
        Effect   = "Allow"
        Action   = ["dynamodb:ListStreams"]
        Resource = ["*"]
      },
      {
        Sid      = "ReadStreamEncrypted"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [var.key_arns.data]
        Condition = {
          StringEquals = { "kms:ViaService" = "dynamodb.${local.region}.amazonaws.com" }
        }
      },
    ]
  })
}

resource "aws_lambda_event_source_mapping" "stream" {
  for_each = local.stream_triggers

  event_source_arn                   = var.targets.tables[each.key].stream_arn
  function_name                      = aws_lambda_alias.live.arn
  starting_position                  = each.value.starting_position
  batch_size                         = each.value.batch_size
  maximum_batching_window_in_seconds = each.value.batch_window_seconds
  parallelization_factor             = each.value.parallelization_factor
  bisect_batch_on_function_error     = each.value.bisect_on_error
  maximum_retry_attempts             = each.value.maximum_retries
  maximum_record_age_in_seconds      = each.value.maximum_record_age_seconds
  function_response_types            = each.value.report_batch_item_failures ? ["ReportBatchItemFailures"] : []

  destination_config {
    on_failure {
      destination_arn = one(values(module.dead_letter_bucket)).arn
    }
  }

  dynamic "filter_criteria" {
    for_each = contains(keys(each.value), "filter") ? [each.value.filter] : []
    content {
      filter {
        pattern = jsonencode(filter_criteria.value)
      }
    }
  }

  depends_on = [aws_iam_role_policy.stream_source, aws_iam_role_policy.access, aws_iam_role_policy.runtime]
}
