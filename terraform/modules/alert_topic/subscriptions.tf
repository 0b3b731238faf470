# The subscribers, and a queue for the messages that cannot be delivered to them.

locals {
  # The attribute of the canary's messages (functions/contract/canary.py). They are for its own queue alone; SNS matches `exists: false`
  # only if a message has another attribute, as every alert has.
  canary_attribute = "canary"

  filter_policy_by_subscription = {
    for name, subscription in var.subscriptions :
    name => merge({ for attribute, values in subscription.filter_policy : attribute => jsonencode(values) }, var.has_canary ? { (local.canary_attribute) = jsonencode([{ exists = false }]) } : {})
  }

  redrive_queue_arn_by_subscription = {
    for name, subscription in var.subscriptions :
    name => subscription.redrive_queue_arn != null ? subscription.redrive_queue_arn : aws_sqs_queue.redrive[name].arn
  }
}

resource "aws_sns_topic_subscription" "this" {
  for_each = var.subscriptions

  topic_arn             = aws_sns_topic.this.arn
  protocol              = each.value.protocol
  endpoint              = each.value.endpoint
  raw_message_delivery  = each.value.raw
  subscription_role_arn = each.value.role_arn
  filter_policy         = length(local.filter_policy_by_subscription[each.key]) == 0 ? null : jsonencode({ for attribute, values in local.filter_policy_by_subscription[each.key] : attribute => jsondecode(values) })
  filter_policy_scope   = length(local.filter_policy_by_subscription[each.key]) == 0 ? null : "MessageAttributes"
  redrive_policy        = jsonencode({ deadLetterTargetArn = local.redrive_queue_arn_by_subscription[each.key] })

  # The owner of an https endpoint confirms the subscription with the URL that SNS sends; Terraform does not wait for it.
  endpoint_auto_confirms = false

  # SNS delivers at once; before the queue's policy allows it, the first message would be lost.
  depends_on = [aws_sqs_queue_policy.redrive]
}

resource "aws_sqs_queue" "redrive" {
  for_each = { for name, subscription in var.subscriptions : name => subscription if subscription.redrive_queue_arn == null }

  name                      = "${local.topic_name}-${each.key}-redrive"
  message_retention_seconds = 14 * 24 * 3600
  kms_master_key_id         = var.alerts_key_arn
}

resource "aws_sqs_queue_policy" "redrive" {
  for_each = aws_sqs_queue.redrive

  queue_url = each.value.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TopicKeepsWhatItCouldNotDeliver"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = each.value.arn
        Condition = { ArnEquals = { "aws:SourceArn" = aws_sns_topic.this.arn } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = each.value.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}
