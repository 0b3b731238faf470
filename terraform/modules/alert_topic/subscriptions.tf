# The subscribers, and a queue for the messages that cannot be delivered to them.

locals {
  # The attribute of the canary's messages (functions/contract/canary.py). They are for its own queue alone; SNS matches `exists: false`
  # only if a message has another attribute, as every alert has.
  canary_attribute = "canary"

  # Only of those that filter.
  filter_policy_by_subscription = {
    for name, subscription in var.subscriptions :
    name => jsonencode(merge(subscription.filter_policy, { for attribute in [local.canary_attribute] : attribute => [{ exists = false }] if var.has_canary }))
    if var.has_canary || length(subscription.filter_policy) > 0
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
  filter_policy         = lookup(local.filter_policy_by_subscription, each.key, null)
  filter_policy_scope   = contains(keys(local.filter_policy_by_subscription), each.key) ? "MessageAttributes" : null
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
