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
          S3Bucket       = aws_s3_bucket.this.bucket
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

  assumed_by = {
    for service in ["events.amazonaws.com", "states.amazonaws.com"] : service => {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "OnlyForThisAccount"
        Effect    = "Allow"
        Principal = { Service = service }
        Action    = "sts:AssumeRole"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      }]
    }
  }
}

resource "aws_sfn_state_machine" "this" {
  # checkov:skip=CKV_AWS_284:It calls DynamoDB a few times in two months and passes no payment; its history shows each call with its time, so a trace adds nothing.
  # checkov:skip=CKV_AWS_285:Step Functions keeps the history of a standard execution for 90 days; a log would need rights on all log deliveries.
  name       = "${var.name}-export-history"
  role_arn   = aws_iam_role.this.arn
  definition = jsonencode(local.definition)

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_cloudwatch_event_rule" "this" {
  name                = "${var.name}-export-history"
  description         = "Exports ${var.table.name} on the first of every second month."
  schedule_expression = "cron(0 3 1 1/${local.interval_months} ? *)"
}

resource "aws_cloudwatch_event_target" "this" {
  rule     = aws_cloudwatch_event_rule.this.name
  arn      = aws_sfn_state_machine.this.arn
  role_arn = aws_iam_role.rule.arn
}

resource "aws_iam_role" "this" {
  name                 = "${var.name}-export-history"
  description          = "Exports ${var.table.name} to ${aws_s3_bucket.this.bucket}."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = jsonencode(local.assumed_by["states.amazonaws.com"])
}

resource "aws_iam_role_policy" "this" {
  name = "export"
  role = aws_iam_role.this.id
  policy = jsonencode({
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
        Resource = ["${aws_s3_bucket.this.arn}/${local.prefix}*"]
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
  })
}

resource "aws_iam_role" "rule" {
  name                 = "${var.name}-export-history-rule"
  description          = "The rule that runs ${var.name}-export-history."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = jsonencode(local.assumed_by["events.amazonaws.com"])
}

resource "aws_iam_role_policy" "rule" {
  name = "run-the-state-machine"
  role = aws_iam_role.rule.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "RunTheStateMachine"
      Effect   = "Allow"
      Action   = "states:StartExecution"
      Resource = aws_sfn_state_machine.this.arn
    }]
  })
}
