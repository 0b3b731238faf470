# The scan of landed files, and copies of the tables.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                       = "fraud-test"
  enable_malware_scan        = true
  landing_bucket             = { name = "fraud-test-landing", arn = "arn:aws:s3:::fraud-test-landing" }
  backup                     = { retention_days = 35, copy_to_vault_arn = "arn:aws:backup:us-east-1:210987654321:backup-vault:fraud", is_locked = true }
  table_arns                 = ["arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-transaction_history"]
  data_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/data"
  logs_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/logs"
  log_retention_days         = 30
  enable_deletion_protection = true
}

run "landed_files_are_scanned_and_a_threat_is_counted" {
  command = apply
  module {
    source = "./modules/protection"
  }

  assert {
    condition     = one(aws_guardduty_malware_protection_plan.this["landing"].protected_resource[0].s3_bucket).object_prefixes == toset(["labels/", "transactions/"])
    error_message = "What a sender drops is scanned."
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.threat["landing"].event_pattern).detail.scanResultDetails.scanResultStatus == ["THREATS_FOUND"] && output.threat_rule_name == aws_cloudwatch_event_rule.threat["landing"].name
    error_message = "The rule is for files with a threat, and its alarm counts how often it was triggered."
  }
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.scan["landing"].policy).Statement :
      alltrue([for resource in statement.Resource : startswith(resource, "arn:aws:s3:::fraud-test-landing") || startswith(resource, "arn:aws:events:us-east-1:123456789012:rule/DO-NOT-DELETE-") || resource == var.data_key_arn])
    ])
    error_message = "The scan reads one bucket."
  }
}

run "tables_are_copied_weekly_to_the_vault_and_to_another_account" {
  command = apply
  module {
    source = "./modules/protection"
  }

  assert {
    condition     = one(one(aws_backup_plan.this["tables"].rule).copy_action).destination_vault_arn == "arn:aws:backup:us-east-1:210987654321:backup-vault:fraud" && aws_backup_selection.this["tables"].resources == toset(var.table_arns)
    error_message = "A copy is where this account's administrator cannot delete it."
  }
  assert {
    condition     = aws_backup_vault_lock_configuration.this["tables"].min_retention_days == 35
    error_message = "The vault refuses to delete a copy earlier."
  }
}

run "both_are_off_unless_they_are_asked_for" {
  command = plan
  module {
    source = "./modules/protection"
  }
  variables {
    enable_malware_scan = false
    backup              = null
  }

  assert {
    condition     = length(aws_guardduty_malware_protection_plan.this) == 0 && length(aws_backup_vault.this) == 0 && length(aws_iam_role.scan) == 0 && length(aws_iam_role.backup) == 0 && output.threat_rule_name == null
    error_message = "Dev has neither."
  }
}

run "refuses_copies_for_less_than_a_week" {
  command = plan
  module {
    source = "./modules/protection"
  }
  variables { backup = { retention_days = 6 } }
  expect_failures = [var.backup]
}

run "refuses_a_bucket_for_a_vault" {
  command = plan
  module {
    source = "./modules/protection"
  }
  variables { backup = { retention_days = 35, copy_to_vault_arn = "arn:aws:s3:::copies" } }
  expect_failures = [var.backup]
}
