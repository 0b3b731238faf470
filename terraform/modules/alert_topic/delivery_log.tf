# SNS logs each delivery. It writes to log groups with names of its own. They are created here first: otherwise SNS would create them
# without a key, and they would never expire.

locals {
  delivery_log_prefix = "sns/${data.aws_region.this.name}/${local.account_id}/${local.topic_name}"
  sms_log_prefix = join(":", [
    "arn", data.aws_partition.this.partition, "logs", data.aws_region.this.name, local.account_id, "log-group",
    "sns/${data.aws_region.this.name}/${local.account_id}/DirectPublishToPhoneNumber",
  ])
}

resource "aws_cloudwatch_log_group" "delivery" {
  for_each = { success = local.delivery_log_prefix, failure = "${local.delivery_log_prefix}/Failure" }

  name              = each.value
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_key_arn
}

resource "aws_iam_role" "delivery_log" {
  name                 = "${local.topic_name}-delivery-log"
  description          = "SNS logs the deliveries of ${local.topic_name}."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "SnsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "delivery_log" {
  name = "write"
  role = aws_iam_role.delivery_log.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "WriteDeliveryLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = [for group in aws_cloudwatch_log_group.delivery : "${group.arn}:*"]
      }],
      # SMS is logged for the account, in log groups that SNS names and creates.
      [for prefix in [local.sms_log_prefix] : {
        Sid      = "WriteSmsDeliveryLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${prefix}*"
      } if anytrue([for subscription in values(var.subscriptions) : subscription.protocol == "sms"])],
    )
  })
}
