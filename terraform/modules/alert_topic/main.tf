# A topic for people and systems to subscribe to. A message that cannot be delivered is logged and stored in a queue of its
# subscription.

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  topic_name = "${var.name}-${var.topic}"
  account_id = data.aws_caller_identity.this.account_id

  endpoint_pattern_by_protocol = {
    email    = "^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$"
    sms      = "^\\+[1-9][0-9]{6,14}$"
    sqs      = "^arn:[a-z-]+:sqs:"
    lambda   = "^arn:[a-z-]+:lambda:"
    https    = "^https://[^\\s]+$"
    firehose = "^arn:[a-z-]+:firehose:"
  }
}

resource "aws_sns_topic" "this" {
  name              = local.topic_name
  display_name      = var.display_name
  kms_master_key_id = var.alerts_key_arn
  signature_version = 2 # SHA-256: https subscribers can verify the sender of a message
  # Traces are passed to subscribers. `Active`, the topic's own segments, would need a resource policy of X-Ray, and an account
  # can have only five.
  tracing_config = "PassThrough"

  # Delivery status. E-mail has none, and for SMS it is a setting of the account.
  http_success_feedback_role_arn        = aws_iam_role.delivery_log.arn
  http_success_feedback_sample_rate     = var.success_sample_percent
  http_failure_feedback_role_arn        = aws_iam_role.delivery_log.arn
  sqs_success_feedback_role_arn         = aws_iam_role.delivery_log.arn
  sqs_success_feedback_sample_rate      = var.success_sample_percent
  sqs_failure_feedback_role_arn         = aws_iam_role.delivery_log.arn
  lambda_success_feedback_role_arn      = aws_iam_role.delivery_log.arn
  lambda_success_feedback_sample_rate   = var.success_sample_percent
  lambda_failure_feedback_role_arn      = aws_iam_role.delivery_log.arn
  firehose_success_feedback_role_arn    = aws_iam_role.delivery_log.arn
  firehose_success_feedback_sample_rate = var.success_sample_percent
  firehose_failure_feedback_role_arn    = aws_iam_role.delivery_log.arn
}

resource "aws_sns_topic_policy" "this" {
  arn = aws_sns_topic.this.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "ThisAccountByIam"
          Effect    = "Allow"
          Principal = { AWS = "arn:${data.aws_partition.this.partition}:iam::${local.account_id}:root" }
          Action    = ["sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic", "sns:Publish", "sns:Subscribe"]
          Resource  = aws_sns_topic.this.arn
        },
        {
          Sid       = "TlsOnly"
          Effect    = "Deny"
          Principal = "*"
          Action    = "sns:Publish"
          Resource  = aws_sns_topic.this.arn
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
      ],
      [
        for service in sort(var.publishing_services) : {
          Sid       = "Publish${title(split(".", service)[0])}"
          Effect    = "Allow"
          Principal = { Service = service }
          Action    = "sns:Publish"
          Resource  = aws_sns_topic.this.arn
          Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
        }
      ],
    )
  })
}
