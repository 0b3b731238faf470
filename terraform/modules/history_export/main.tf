# The history beyond the table's time to live: every second month DynamoDB exports the whole table, as it was at that moment, to a
# bucket. It reads the point-in-time backup, so it costs the table no read capacity (decision 0020).

data "aws_partition" "this" {}
data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

locals {
  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition

  # A row lives for two intervals at least, so it is in two exports: one that fails loses nothing.
  interval_months = 2
  prefix          = "exports/"

  definition = {
    Comment        = "Export ${var.table.name} and wait for the end: DynamoDB reports a failure nowhere else."
    TimeoutSeconds = 3 * 24 * 3600
    StartAt        = "Export"
    States = {
      Export = {
        Type     = "Task"
        Resource = "arn:${local.partition}:states:::aws-sdk:dynamodb:exportTableToPointInTime"
        Parameters = {
          TableArn       = var.table.arn
          S3Bucket       = module.bucket.name
          S3Prefix       = trimsuffix(local.prefix, "/")
          ExportFormat   = "DYNAMODB_JSON" # what DynamoDB imports again, byte for byte
          S3SseAlgorithm = "KMS"
          S3SseKmsKeyId  = var.data_key_arn
        }
        ResultSelector = { "ExportArn.$" = "$.ExportDescription.ExportArn" }
        Retry          = [{ ErrorEquals = ["States.TaskFailed"], IntervalSeconds = 60, MaxAttempts = 5, BackoffRate = 2 }]
        Next           = "LetItRun"
      }
      LetItRun = { Type = "Wait", Seconds = 900, Next = "Look" }
      Look = {
        Type           = "Task"
        Resource       = "arn:${local.partition}:states:::aws-sdk:dynamodb:describeExport"
        Parameters     = { "ExportArn.$" = "$.ExportArn" }
        ResultSelector = { "ExportArn.$" = "$.ExportDescription.ExportArn", "Status.$" = "$.ExportDescription.ExportStatus" }
        Retry          = [{ ErrorEquals = ["States.TaskFailed"], IntervalSeconds = 60, MaxAttempts = 5, BackoffRate = 2 }]
        Next           = "IsItOver"
      }
      IsItOver = {
        Type = "Choice"
        Choices = [
          { Variable = "$.Status", StringEquals = "COMPLETED", Next = "Exported" },
          { Variable = "$.Status", StringEquals = "FAILED", Next = "NotExported" },
        ]
        Default = "LetItRun"
      }
      Exported    = { Type = "Succeed" }
      NotExported = { Type = "Fail", Error = "ExportFailed", Cause = "DynamoDB ended the export with FAILED; describe-export names the reason." }
    }
  }

  policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ExportTheTable"
        Effect   = "Allow"
        Action   = ["dynamodb:ExportTableToPointInTime"]
        Resource = [var.table.arn]
      },
      {
        Sid      = "LookAtTheExport"
        Effect   = "Allow"
        Action   = ["dynamodb:DescribeExport"]
        Resource = ["${var.table.arn}/export/*"]
      },
      {
        Sid      = "WriteTheExport"
        Effect   = "Allow"
        Action   = ["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"]
        Resource = ["${module.bucket.arn}/${local.prefix}*"]
      },
      {
        Sid      = "DecryptTheTableAndEncryptTheExport"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [var.data_key_arn]
        Condition = {
          StringEquals = {
            "kms:ViaService" = [for service in ["dynamodb", "s3"] : "${service}.${data.aws_region.this.name}.amazonaws.com"]
          }
        }
      },
    ]
  }
}

module "state_machine" {
  source = "../state_machine"

  name                     = "${var.name}-export-history"
  description              = "Exports ${var.table.name} to ${module.bucket.name}."
  definition               = jsonencode(local.definition)
  policy                   = jsonencode(local.policy)
  permissions_boundary_arn = var.permissions_boundary_arn

  rules = {
    every-second-month = {
      description = "Exports ${var.table.name} on the first of every second month."
      schedule    = "cron(0 3 1 1/${local.interval_months} ? *)"
    }
  }
}

# Addresses of states from before the module `state_machine`. The rule and its role have new names, so they are replaced.
moved {
  from = aws_sfn_state_machine.this
  to   = module.state_machine.aws_sfn_state_machine.this
}

moved {
  from = aws_cloudwatch_event_rule.this
  to   = module.state_machine.aws_cloudwatch_event_rule.this["every-second-month"]
}

moved {
  from = aws_cloudwatch_event_target.this
  to   = module.state_machine.aws_cloudwatch_event_target.this["every-second-month"]
}

moved {
  from = aws_iam_role.this
  to   = module.state_machine.aws_iam_role.this
}

moved {
  from = aws_iam_role_policy.this
  to   = module.state_machine.aws_iam_role_policy.this
}

moved {
  from = aws_iam_role.rule
  to   = module.state_machine.aws_iam_role.rules
}

moved {
  from = aws_iam_role_policy.rule
  to   = module.state_machine.aws_iam_role_policy.rules
}
