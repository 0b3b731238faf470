# The state machine. Its input: `run`, which names the exports' folder; `as_of`, the moment whose rows are exported, some minutes ago, because
# DynamoDB's backup is about five minutes behind; and what the job's state takes.

locals {
  # Of one table, side by side with the other.
  export_states = {
    Export = {
      Type     = "Task"
      Resource = "arn:${local.partition}:states:::aws-sdk:dynamodb:exportTableToPointInTime"
      Parameters = {
        "TableArn.$"    = "$.table_arn"
        "ExportTime.$"  = "$.as_of"
        "ClientToken.$" = "States.Hash(States.Format('{} {}', $.run, $.table_arn), 'MD5')" # a try after a lost answer exports nothing twice
        S3Bucket        = module.bucket.name
        "S3Prefix.$"    = "States.Format('${local.prefix}{}', $.run)"
        ExportFormat    = "DYNAMODB_JSON"
        S3SseAlgorithm  = "KMS"
        S3SseKmsKeyId   = var.data_key_arn
      }
      ResultSelector = { "ExportArn.$" = "$.ExportDescription.ExportArn" }
      Retry          = [{ ErrorEquals = ["States.TaskFailed"], IntervalSeconds = 60, MaxAttempts = 3, BackoffRate = 2 }]
      Next           = "LetItRun"
    }
    LetItRun = { Type = "Wait", Seconds = 60, Next = "Look" }
    Look = {
      Type           = "Task"
      Resource       = "arn:${local.partition}:states:::aws-sdk:dynamodb:describeExport"
      Parameters     = { "ExportArn.$" = "$.ExportArn" }
      ResultSelector = { "ExportArn.$" = "$.ExportDescription.ExportArn", "Status.$" = "$.ExportDescription.ExportStatus" }
      Retry          = [{ ErrorEquals = ["States.TaskFailed"], IntervalSeconds = 60, MaxAttempts = 3, BackoffRate = 2 }]
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

  definition = {
    Comment        = var.description
    TimeoutSeconds = 24 * 3600
    StartAt        = "Tables"
    States = {
      Tables = { Type = "Pass", Result = values(var.table_arns), ResultPath = "$.table_arns", Next = "ExportTables" }
      ExportTables = {
        Type          = "Map"
        ItemsPath     = "$.table_arns"
        ItemSelector  = { "run.$" = "$.run", "as_of.$" = "$.as_of", "table_arn.$" = "$$.Map.Item.Value" }
        ItemProcessor = { ProcessorConfig = { Mode = "INLINE" }, StartAt = "Export", States = local.export_states }
        ResultPath    = null # the job's state gets the input
        Next          = "StartTheJob"
      }
      StartTheJob = merge(jsondecode(var.start_job.task), { Type = "Task", End = true })
    }
  }

  policy = {
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid      = "ExportTheTables"
        Effect   = "Allow"
        Action   = ["dynamodb:ExportTableToPointInTime"]
        Resource = values(var.table_arns)
      },
      {
        Sid      = "LookAtTheExports"
        Effect   = "Allow"
        Action   = ["dynamodb:DescribeExport"]
        Resource = [for arn in values(var.table_arns) : "${arn}/export/*"]
      },
      {
        # DynamoDB writes an export in the name of whoever asks for it.
        Sid      = "WriteTheExports"
        Effect   = "Allow"
        Action   = ["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"]
        Resource = ["${module.bucket.arn}/${local.prefix}*"]
      },
      {
        Sid      = "DecryptTheTablesAndEncryptTheExports"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [var.data_key_arn]
        Condition = {
          StringEquals = { "kms:ViaService" = [for service in ["dynamodb", "s3"] : "${service}.${local.region}.amazonaws.com"] }
        }
      },
    ], jsondecode(var.start_job.statements))
  }
}

module "state_machine" {
  source = "../state_machine"

  name                     = var.name
  description              = var.description
  definition               = jsonencode(local.definition)
  policy                   = jsonencode(local.policy)
  rules                    = {}
  permissions_boundary_arn = var.permissions_boundary_arn
}
