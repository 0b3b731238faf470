# The customer keys, one for each concern, so that readers of logs or alerts need no right on payments. IAM policies say who in the
# account may use a key. A key's own policy names the AWS services that act without a role.

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition
  region     = data.aws_region.this.name

  descriptions = {
    data   = "Payments at rest: tables, brokers, cache, buckets, queues, ingestion."
    alerts = "Alert topics and the queues behind them."
    logs   = "Log groups."
  }

  account_statement = {
    Sid       = "AccountDecidesByIam"
    Effect    = "Allow"
    Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
    Action    = "kms:*"
    Resource  = "*"
  }

  service_statements = {
    data = [
      # A dead-letter bucket announces its objects in an encrypted queue. As EventBridge's guide has it ("Amazon EventBridge targets"), without
      # a condition: its call to the key names no account and no rule (SNS's guide, "Key management": not supported for EventBridge), and
      # an event that the key refuses is dropped without another try. The queue's policy says which rule may fill it.
      {
        Sid       = "EventsFillQueues"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
      },
    ]
    alerts = [
      # An alarm publishes as CloudWatch, without a role; without this statement it would fail silently on an encrypted topic.
      {
        Sid       = "AlarmsPublish"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      },
      {
        Sid       = "BudgetsPublish"
        Effect    = "Allow"
        Principal = { Service = "budgets.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      },
      {
        Sid       = "TopicsFillQueues"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      },
    ]
    logs = [
      {
        Sid       = "LogGroupsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "logs.${local.region}.amazonaws.com" }
        Action    = ["kms:Decrypt*", "kms:DescribeKey", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource  = "*"
        Condition = {
          ArnLike = {
            "kms:EncryptionContext:aws:logs:arn" = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:*"
          }
        }
      },
      # As AWS's guide has it ("Configure AWS KMS key policies for CloudTrail"), for trails of this account.
      {
        Sid       = "TrailsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceArn" = "arn:${local.partition}:cloudtrail:${local.region}:${local.account_id}:trail/${var.name}-payments" } }
      },
    ]
  }
}

resource "aws_kms_key" "this" {
  for_each = local.descriptions

  description             = each.value
  deletion_window_in_days = var.deletion_window_days
  enable_key_rotation     = true
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat([local.account_statement], local.service_statements[each.key])
  })
}

resource "aws_kms_alias" "this" {
  for_each = local.descriptions

  name          = "alias/${var.name}-${each.key}"
  target_key_id = aws_kms_key.this[each.key].key_id
}
