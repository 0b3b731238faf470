# The state machine that exports both tables and then starts the job. So whoever runs a backtest needs no right on a table.

locals {
  # One export after the other: each ends before the job begins.
  steps = { for table, next in { transaction_history = "ExportLabels", labels = "Decide" } : table => {
    word = { transaction_history = "History", labels = "Labels" }[table]
    next = next
  } }

  export_states = merge([for table, step in local.steps : {
    "Export${step.word}" = {
      Type     = "Task"
      Resource = "arn:${local.partition}:states:::aws-sdk:dynamodb:exportTableToPointInTime"
      Parameters = {
        TableArn       = var.table_arns[table]
        S3Bucket       = module.bucket.name
        "S3Prefix.$"   = "States.Format('${local.exports_prefix}{}', $.run)"
        ExportFormat   = "DYNAMODB_JSON"
        S3SseAlgorithm = "KMS"
        S3SseKmsKeyId  = var.data_key_arn
      }
      ResultSelector = { "ExportArn.$" = "$.ExportDescription.ExportArn" }
      ResultPath     = "$.export"
      Retry          = [{ ErrorEquals = ["States.TaskFailed"], IntervalSeconds = 60, MaxAttempts = 3, BackoffRate = 2 }]
      Next           = "Wait${step.word}"
    }
    "Wait${step.word}" = { Type = "Wait", Seconds = 60, Next = "Look${step.word}" }
    "Look${step.word}" = {
      Type           = "Task"
      Resource       = "arn:${local.partition}:states:::aws-sdk:dynamodb:describeExport"
      Parameters     = { "ExportArn.$" = "$.export.ExportArn" }
      ResultSelector = { "Status.$" = "$.ExportDescription.ExportStatus" }
      ResultPath     = "$.seen"
      Retry          = [{ ErrorEquals = ["States.TaskFailed"], IntervalSeconds = 60, MaxAttempts = 3, BackoffRate = 2 }]
      Next           = "Is${step.word}Exported"
    }
    "Is${step.word}Exported" = {
      Type = "Choice"
      Choices = [
        { Variable = "$.seen.Status", StringEquals = "COMPLETED", Next = step.next },
        { Variable = "$.seen.Status", StringEquals = "FAILED", Next = "NotExported" },
      ]
      Default = "Wait${step.word}"
    }
  }]...)

  definition = {
    Comment        = "Export the history and the labels, and let ${local.job_name} decide again. Input: run, and arguments of the job."
    TimeoutSeconds = 24 * 3600
    StartAt        = "ExportHistory"
    States = merge(local.export_states, {
      Decide = {
        Type     = "Task"
        Resource = "arn:${local.partition}:states:::glue:startJobRun"
        # The arguments name places of this run's folder; Glue adds its own.
        Parameters = { JobName = local.job_name, "Arguments.$" = "$.arguments" }
        End        = true
      }
      NotExported = { Type = "Fail", Error = "ExportFailed", Cause = "DynamoDB ended an export with FAILED; describe-export names the reason." }
    })
  }

  policy = {
    Version = "2012-10-17"
    Statement = [
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
        Resource = ["${module.bucket.arn}/${local.exports_prefix}*"]
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
      {
        Sid      = "StartTheJob"
        Effect   = "Allow"
        Action   = ["glue:StartJobRun"]
        Resource = ["arn:${local.partition}:glue:${local.region}:${local.account_id}:job/${local.job_name}"]
      },
    ]
  }
}

module "state_machine" {
  source = "../state_machine"

  name                     = local.job_name
  description              = "Exports the history and the labels, and starts ${local.job_name}."
  definition               = jsonencode(local.definition)
  policy                   = jsonencode(local.policy)
  rules                    = {}
  permissions_boundary_arn = var.permissions_boundary_arn
}
