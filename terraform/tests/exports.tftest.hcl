# Both tables as of one moment, in a bucket that deletes them soon, and then the job: whoever asks needs no right on either.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name        = "fraud-test-backtest"
  description = "Exports the history and the labels, and starts a job."
  table_arns = {
    labels              = "arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-labels"
    transaction_history = "arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-transaction_history"
  }
  start_job = {
    task       = "{\"Resource\": \"arn:aws:states:::glue:startJobRun\", \"Parameters\": {\"JobName\": \"a-job\"}}"
    statements = "[{\"Sid\": \"StartTheJob\", \"Effect\": \"Allow\", \"Action\": [\"glue:StartJobRun\"], \"Resource\": [\"arn:aws:glue:us-east-1:123456789012:job/a-job\"]}]"
  }
  days_by_prefix             = { "runs/" = 30 }
  access_log_bucket          = "fraud-test-access-log-123456789012"
  data_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/data"
  enable_deletion_protection = true
}

run "both_tables_are_exported_as_of_one_moment_and_then_the_job_starts" {
  command = apply

  module {
    source = "./modules/exports"
  }

  assert {
    condition     = jsonencode(local.definition.States.Tables.Result) == jsonencode(values(var.table_arns)) && local.definition.States.Tables.Next == "ExportTables" && local.definition.States.ExportTables.Next == "StartTheJob"
    error_message = "The job begins when both exports are complete."
  }

  assert {
    condition     = local.definition.States.ExportTables.ItemSelector["as_of.$"] == "$.as_of" && module.table_export.states.Export.Parameters["ExportTime.$"] == "$.as_of"
    error_message = "Both are as of the moment that the run names."
  }

  assert {
    condition     = module.table_export.states.Export.Parameters.S3SseKmsKeyId == var.data_key_arn && module.table_export.states.Export.Parameters.S3Bucket == "fraud-test-backtest-123456789012"
    error_message = "Encrypted with the customer key, in the module's bucket."
  }

  assert {
    condition     = module.table_export.states.IsItOver.Choices[1].Next == "NotExported" && module.table_export.states.NotExported.Type == "Fail"
    error_message = "A failed export ends it."
  }

  assert {
    condition     = jsonencode(local.definition.States.StartTheJob) == jsonencode({ End = true, Parameters = { JobName = "a-job" }, Resource = "arn:aws:states:::glue:startJobRun", Type = "Task" })
    error_message = "The job that was named, last."
  }
}

run "it_neither_reads_a_row_nor_an_object" {
  command = apply

  module {
    source = "./modules/exports"
  }

  assert {
    condition     = toset(flatten([for statement in local.policy.Statement : statement.Action])) == toset(["dynamodb:DescribeExport", "dynamodb:ExportTableToPointInTime", "glue:StartJobRun", "kms:Decrypt", "kms:GenerateDataKey", "s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"])
    error_message = "It exports, and starts the job."
  }

  assert {
    condition     = alltrue([for statement in local.policy.Statement : !contains(statement.Resource, "*")])
    error_message = "Each right names its resource."
  }

  assert {
    condition     = output.prefix == "exports/" && output.bucket.arn == module.bucket.arn && output.role_name == module.state_machine.role_name
    error_message = "Jobs read below the prefix, and the audit knows the role."
  }
}

run "refuses_other_tables" {
  command = plan

  module {
    source = "./modules/exports"
  }

  variables {
    table_arns = { labels = "arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-labels" }
  }

  expect_failures = [var.table_arns]
}

run "refuses_a_name_that_leaves_no_room_for_the_buckets" {
  command = plan

  module {
    source = "./modules/exports"
  }

  variables {
    name = "fraud-test-of-a-system-with-a-long-name-backtest"
  }

  expect_failures = [var.name]
}
