# A backtest reads every payment, so its roles are narrow, nothing of it runs by itself, and exports are deleted soon.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name        = "fraud-test"
  scripts_dir = "../glue_scripts"
  build_dir   = "../build/glue-backtest"
  table_arns = {
    labels              = "arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-labels"
    transaction_history = "arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-transaction_history"
  }
  maximum_workers            = 10
  access_log_bucket          = "fraud-test-access-log-123456789012"
  data_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/data"
  logs_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/logs"
  log_retention_days         = 30
  enable_deletion_protection = true
}

run "a_batch_job_on_glue_5_that_scales_and_ends" {
  command = apply

  module {
    source = "./modules/backtest"
  }

  assert {
    condition     = aws_glue_job.this.name == "fraud-test-backtest" && aws_glue_job.this.glue_version == "5.0" && aws_glue_job.this.command[0].name == "glueetl" && aws_glue_job.this.timeout == 120
    error_message = "A batch job on Glue 5 that is stopped after two hours."
  }

  assert {
    condition     = aws_glue_job.this.default_arguments["--enable-auto-scaling"] == "true" && aws_glue_job.this.number_of_workers == 10
    error_message = "Glue scales below the maximum."
  }

  assert {
    condition     = aws_glue_job.this.security_configuration == aws_glue_security_configuration.this.name
    error_message = "What the job writes is encrypted."
  }

  assert {
    condition = { for kind, group in aws_cloudwatch_log_group.this : kind => group.name } == {
      for kind in ["output", "error"] : kind => "${aws_glue_job.this.default_arguments["--custom-logGroup-prefix"]}/${aws_glue_job.this.security_configuration}-role/${aws_iam_role.job.name}/${kind}"
    }
    error_message = "With an encrypting security configuration Glue names its groups after the prefix, the configuration and the role."
  }
}

run "the_job_reads_exports_and_code_and_writes_runs" {
  command = apply

  module {
    source = "./modules/backtest"
  }

  assert {
    condition = toset(flatten([for statement in local.job_policy.Statement : statement.Action])) == toset([
      "kms:Decrypt", "kms:GenerateDataKey", "logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents",
      "s3:DeleteObject", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject",
    ])
    error_message = "It reads no table."
  }

  assert {
    condition     = alltrue([for statement in local.job_policy.Statement : !contains(statement.Resource, "*")])
    error_message = "Each right names its resource."
  }

  assert {
    condition     = jsonencode([for statement in local.job_policy.Statement : statement.Resource if contains(statement.Action, "s3:PutObject")]) == jsonencode([["${module.exports.bucket.arn}/runs/*"]])
    error_message = "It writes reports and scores, and neither exports nor code."
  }
}

run "the_state_machine_starts_the_job_and_no_other" {
  command = apply

  module {
    source = "./modules/backtest"
  }

  assert {
    condition     = jsonencode(local.job_run) == jsonencode({ "Arguments.$" = "$.arguments", JobName = aws_glue_job.this.name })
    error_message = "The job of this module, with the arguments of the run."
  }

  assert {
    condition     = jsonencode(local.start_statements[*].Action) == jsonencode([["glue:StartJobRun"]]) && jsonencode(local.start_statements[0].Resource) == jsonencode(["arn:aws:glue:us-east-1:123456789012:job/fraud-test-backtest"])
    error_message = "Its right names the job."
  }

  assert {
    condition     = output.settings.bucket == "fraud-test-backtest-123456789012" && output.settings.job_name == aws_glue_job.this.name && output.settings.state_machine_arn == module.exports.state_machine_arn
    error_message = "make backtest finds everything in one output."
  }

  assert {
    condition     = length(output.role_names) == 2 && contains(output.role_names, output.exporting_role_name)
    error_message = "The audit knows both roles."
  }
}

run "refuses_a_job_without_an_executor" {
  command = plan

  module {
    source = "./modules/backtest"
  }

  variables {
    maximum_workers = 1
  }

  expect_failures = [var.maximum_workers]
}

run "refuses_a_name_in_capitals" {
  command = plan

  module {
    source = "./modules/backtest"
  }

  variables {
    name = "Fraud"
  }

  expect_failures = [var.name]
}

run "refuses_more_than_a_day_of_a_run" {
  command = plan

  module {
    source = "./modules/backtest"
  }

  variables {
    maximum_minutes = 1500
  }

  expect_failures = [var.maximum_minutes]
}
