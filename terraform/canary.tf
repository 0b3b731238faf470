# Where the canary's alerts come out: a queue that subscribes to them alone. Every other subscription of the topic filters them out
# (modules/alert_topic). SQS encrypts it with a key of its own: the messages say nothing of a customer, and SNS needs no right to that key.

resource "aws_sqs_queue" "canary" {
  name                      = "${local.name}-canary"
  message_retention_seconds = 3600 # an alert that is an hour late was missing in twelve runs
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_policy" "canary" {
  queue_url = aws_sqs_queue.canary.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AlertTopicSends"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.canary.arn
        Condition = { ArnEquals = { "aws:SourceArn" = module.alerts.topic_arn } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.canary.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "canary" {
  topic_arn            = module.alerts.topic_arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.canary.arn
  raw_message_delivery = true
  filter_policy        = jsonencode({ (module.alerts.canary_attribute) = ["true"] })
  filter_policy_scope  = "MessageAttributes"

  depends_on = [aws_sqs_queue_policy.canary]
}
