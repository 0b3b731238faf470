# A key for each concern, and who may use it without a role.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name = "fraud-test"
}

run "every_key_is_rotated_and_can_be_restored" {
  command = apply

  module {
    source = "./modules/encryption"
  }

  assert {
    condition     = alltrue([for key in aws_kms_key.this : key.enable_key_rotation && key.deletion_window_in_days == 30])
    error_message = "Keys rotate yearly, and a deletion can be cancelled for 30 days."
  }

  assert {
    condition     = { for name, alias in aws_kms_alias.this : name => alias.name } == { alerts = "alias/fraud-test-alerts", data = "alias/fraud-test-data", logs = "alias/fraud-test-logs" }
    error_message = "Aliases have the environment and the concern."
  }

  assert {
    condition     = alltrue([for arn in [output.data_key_arn, output.alerts_key_arn, output.logs_key_arn] : startswith(arn, "arn:aws:kms:")])
    error_message = "Each key is an output."
  }
}

run "services_without_a_role_are_named" {
  command = apply

  module {
    source = "./modules/encryption"
  }

  assert {
    condition     = [for statement in jsondecode(aws_kms_key.this["data"].policy).Statement : try(statement.Principal.AWS, statement.Principal.Service)] == ["arn:aws:iam::123456789012:root", "events.amazonaws.com"]
    error_message = "Only principals with an IAM policy use the data key, and EventBridge, for its queues."
  }

  assert {
    condition     = !can(jsondecode(aws_kms_key.this["data"].policy).Statement[1].Condition)
    error_message = "EventBridge's call to a key has neither aws:SourceAccount nor aws:SourceArn: a condition on them refuses every dead letter's announcement."
  }

  assert {
    condition     = toset([for statement in jsondecode(aws_kms_key.this["alerts"].policy).Statement : statement.Principal.Service if can(statement.Principal.Service)]) == toset(["budgets.amazonaws.com", "cloudwatch.amazonaws.com", "sns.amazonaws.com"])
    error_message = "Alarms and budgets publish to encrypted topics, and topics fill encrypted queues."
  }

  assert {
    condition     = alltrue([for statement in jsondecode(aws_kms_key.this["alerts"].policy).Statement : statement.Condition.StringEquals["aws:SourceAccount"] == "123456789012" if can(statement.Principal.Service)])
    error_message = "Services use the alerts key on behalf of this account only."
  }

  assert {
    condition     = jsondecode(aws_kms_key.this["logs"].policy).Statement[1].Condition.ArnLike["kms:EncryptionContext:aws:logs:arn"] == "arn:aws:logs:us-east-1:123456789012:log-group:*"
    error_message = "CloudWatch Logs uses the logs key for groups of this account only."
  }

  assert {
    condition     = alltrue(flatten([for key in aws_kms_key.this : [for statement in jsondecode(key.policy).Statement : try(statement.Principal.AWS, "") != "*" && can(keys(statement.Principal))]]))
    error_message = "No key is open to everybody."
  }
}

run "refuses_a_name_that_ends_with_a_hyphen" {
  command = plan

  module {
    source = "./modules/encryption"
  }

  variables {
    name = "fraud-"
  }

  expect_failures = [var.name]
}

run "refuses_a_deletion_within_six_days" {
  command = plan

  module {
    source = "./modules/encryption"
  }

  variables {
    deletion_window_days = 6
  }

  expect_failures = [var.deletion_window_days]
}
