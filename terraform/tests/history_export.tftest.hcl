# The history outlives its table's time to live, in a bucket that only DynamoDB writes to.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                       = "fraud-test"
  table                      = { name = "fraud-test-transaction_history", arn = "arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-transaction_history" }
  retention_days             = 180
  access_log_bucket          = "fraud-test-access-log-123456789012"
  data_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/data"
  enable_deletion_protection = true
}

run "the_whole_table_is_exported_every_second_month" {
  command = apply

  module {
    source = "./modules/history_export"
  }

  assert {
    condition     = local.interval_months == 2
    error_message = "A row lives for at least 180 days, and two intervals are at most 124, so it is in two exports."
  }

  assert {
    condition     = local.definition.States.Export.Parameters.TableArn == var.table.arn && local.definition.States.Export.Parameters.S3SseKmsKeyId == var.data_key_arn && !contains(keys(local.definition.States.Export.Parameters), "ExportType")
    error_message = "A full export, which is DynamoDB's default, encrypted with the customer key."
  }
}

run "the_state_machine_may_export_and_not_read" {
  command = apply

  module {
    source = "./modules/history_export"
  }

  assert {
    condition     = toset(flatten([for statement in local.policy.Statement : statement.Action])) == toset(["dynamodb:DescribeExport", "dynamodb:ExportTableToPointInTime", "kms:Decrypt", "kms:GenerateDataKey", "s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"])
    error_message = "It neither reads a row nor an object."
  }

  assert {
    condition     = alltrue([for statement in local.policy.Statement : !contains(statement.Resource, "*")])
    error_message = "Each right names its resource."
  }

  assert {
    condition     = output.state_machine_arn == module.state_machine.arn && output.url == "s3://fraud-test-history-export-123456789012/exports/"
    error_message = "The alarm and the runbooks find them."
  }
}

run "refuses_a_name_in_capitals" {
  command = plan

  module {
    source = "./modules/history_export"
  }

  variables {
    name = "Fraud"
  }

  expect_failures = [var.name]
}

run "refuses_a_history_shorter_than_half_a_year" {
  command = plan

  module {
    source = "./modules/history_export"
  }

  variables {
    retention_days = 90
  }

  expect_failures = [var.retention_days]
}

run "refuses_exports_that_expire_before_the_next_two" {
  command = plan

  module {
    source = "./modules/history_export"
  }

  variables {
    kept_days = 60
  }

  expect_failures = [var.kept_days]
}
