# A trigger of type `queue`: the event source mapping of an SQS queue. The root makes the queue, since other functions send to it; what
# happens to messages that fail belongs to the function that reads them.

locals {
  queue_triggers = { for trigger in [local.trigger] : trigger.queue => trigger if trigger.type == "queue" }
}

resource "aws_iam_role_policy" "queue_source" {
  for_each = local.queue_triggers

  name = "source"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadQueue"
        Effect   = "Allow"
        Action   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        Resource = [var.targets.queues[each.key].arn]
      },
      {
        Sid      = "ReadQueueEncrypted"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [var.key_arns.data]
        Condition = {
          StringEquals = { "kms:ViaService" = "sqs.${local.region}.amazonaws.com" }
        }
      },
    ]
  })
}

resource "aws_lambda_event_source_mapping" "queue" {
  for_each = local.queue_triggers

  event_source_arn                   = var.targets.queues[each.key].arn
  function_name                      = aws_lambda_alias.live.arn
  batch_size                         = each.value.batch_size
  maximum_batching_window_in_seconds = each.value.batch_window_seconds
  function_response_types            = each.value.report_batch_item_failures ? ["ReportBatchItemFailures"] : []

  # Without it, pollers add invocations until the function is throttled, and a throttled delivery counts like a failed one.
  scaling_config {
    maximum_concurrency = each.value.maximum_concurrency
  }

  depends_on = [aws_iam_role_policy.queue_source, aws_iam_role_policy.access, aws_iam_role_policy.runtime]
}

# SQS moves a message to the function's dead-letter queue after its last delivery; `make redrive` moves it back.
resource "aws_sqs_queue_redrive_policy" "source" {
  for_each = local.queue_triggers

  queue_url = var.targets.queues[each.key].url
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter.arn
    maxReceiveCount     = each.value.maximum_receives
  })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letter" {
  for_each = local.queue_triggers

  queue_url = aws_sqs_queue.dead_letter.url
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [var.targets.queues[each.key].arn]
  })
}
