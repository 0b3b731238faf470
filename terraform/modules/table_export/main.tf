# How a state machine has DynamoDB export a table to S3 and waits for the end: its states, and the rights that they need. It makes no
# resource. An export reads the point-in-time backup, so it costs the table no read capacity.

data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  partition = data.aws_partition.this.partition
  retry     = [{ ErrorEquals = ["States.TaskFailed"], IntervalSeconds = 60, MaxAttempts = var.max_retries, BackoffRate = 2 }]

  states = {
    Export = {
      Type     = "Task"
      Resource = "arn:${local.partition}:states:::aws-sdk:dynamodb:exportTableToPointInTime"
      Parameters = merge(jsondecode(var.request), {
        S3Bucket       = var.bucket.name
        ExportFormat   = "DYNAMODB_JSON" # what DynamoDB imports again, byte for byte
        S3SseAlgorithm = "KMS"
        S3SseKmsKeyId  = var.data_key_arn
      })
      ResultSelector = { "ExportArn.$" = "$.ExportDescription.ExportArn" }
      Retry          = local.retry
      Next           = "LetItRun"
    }
    LetItRun = { Type = "Wait", Seconds = var.poll_seconds, Next = "Look" }
    Look = {
      Type           = "Task"
      Resource       = "arn:${local.partition}:states:::aws-sdk:dynamodb:describeExport"
      Parameters     = { "ExportArn.$" = "$.ExportArn" }
      ResultSelector = { "ExportArn.$" = "$.ExportDescription.ExportArn", "Status.$" = "$.ExportDescription.ExportStatus" }
      Retry          = local.retry
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
    NotExported = { Type = "Fail", Error = "ExportFailed", Cause = "DynamoDB ended an export with FAILED; describe-export names the reason." }
  }

  statements = [
    {
      Sid      = "ExportTables"
      Effect   = "Allow"
      Action   = ["dynamodb:ExportTableToPointInTime"]
      Resource = var.table_arns
    },
    {
      Sid      = "LookAtExports"
      Effect   = "Allow"
      Action   = ["dynamodb:DescribeExport"]
      Resource = [for arn in var.table_arns : "${arn}/export/*"]
    },
    {
      # DynamoDB writes an export in the name of whoever asks for it.
      Sid      = "WriteExports"
      Effect   = "Allow"
      Action   = ["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"]
      Resource = ["${var.bucket.arn}/${var.prefix}*"]
    },
    {
      Sid      = "DecryptTablesAndEncryptExports"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = [var.data_key_arn]
      Condition = {
        StringEquals = { "kms:ViaService" = [for service in ["dynamodb", "s3"] : "${service}.${data.aws_region.this.name}.amazonaws.com"] }
      }
    },
  ]
}
