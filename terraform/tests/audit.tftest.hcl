# Who touched payments outside the system.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                       = "fraud-test"
  bucket_arns                = ["arn:aws:s3:::fraud-test-landing", "arn:aws:s3:::fraud-test-quarantine"]
  audit_heads_bucket_arn     = "arn:aws:s3:::fraud-test-audit-heads"
  table_arns                 = ["arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-transaction_history"]
  reading_roles              = ["fraud-test-score", "fraud-test-persist"]
  opening_roles              = ["fraud-test-apply", "fraud-test-export-history"]
  metrics_namespace          = "FraudDetection/test"
  logs_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/logs"
  log_retention_days         = 30
  enable_deletion_protection = true
}

run "objects_and_rows_are_recorded_but_for_the_systems_own_calls" {
  command = plan
  module {
    source = "./modules/audit"
  }

  assert {
    condition = alltrue([
      for name, start in { Objects = "arn:aws:s3:::fraud-test-landing/", Rows = "arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-transaction_history" } : anytrue([
        for selector in aws_cloudtrail.this.advanced_event_selector : selector.name == name && anytrue([
          for field in selector.field_selector : field.field == "resources.ARN" && contains(coalesce(field.starts_with, []), start)
        ])
      ])
    ])
    error_message = "Data events of the buckets and tables that hold payments are recorded."
  }
  assert {
    condition = alltrue([
      for selector in aws_cloudtrail.this.advanced_event_selector : selector.name == "Changes" || anytrue([
        for field in selector.field_selector :
        field.field == "userIdentity.arn" && toset(coalesce(field.not_starts_with, [])) == toset(["arn:aws:sts::123456789012:assumed-role/fraud-test-persist/", "arn:aws:sts::123456789012:assumed-role/fraud-test-score/"])
      ])
    ])
    error_message = "The system's own calls are millions and its work."
  }
  assert {
    condition = {
      for selector in aws_cloudtrail.this.advanced_event_selector : selector.name => anytrue([
        for field in selector.field_selector : field.field == "readOnly" && join("", coalesce(field.equals, [])) == "false"
      ])
    } == { Changes = true, Heads = true, Objects = false, Rows = false }
    error_message = "Who reads heads of the audit chains is an auditor; who writes there is nobody but the function."
  }
  assert {
    condition     = aws_cloudtrail.this.enable_log_file_validation && aws_cloudtrail.this.kms_key_id == var.logs_key_arn
    error_message = "The files are encrypted, and a changed one is noticed."
  }
}

run "each_event_is_counted_unless_it_was_applied" {
  command = plan
  module {
    source = "./modules/audit"
  }

  assert {
    condition     = output.metric_names == { touched = "payments-touched", opened = "payments-opened" } && alltrue([for filter in aws_cloudwatch_log_metric_filter.this : one(filter.metric_transformation).value == "1"])
    error_message = "Each event counts one, in the metric that its alarm watches."
  }
  assert {
    condition     = alltrue([for role in var.opening_roles : strcontains(aws_cloudwatch_log_metric_filter.this["opened"].pattern, "&& ($.userIdentity.sessionContext.sessionIssuer.userName != \"${role}\")")]) && alltrue([for event in ["PutBucketPolicy", "ExportTableToPointInTime"] : strcontains(aws_cloudwatch_log_metric_filter.this["opened"].pattern, "\"${event}\"")])
    error_message = "A bucket's policy that CI did not change is seen, and an export that nobody planned."
  }
}

run "refuses_a_trail_of_everything" {
  command = plan
  module {
    source = "./modules/audit"
  }
  variables { reading_roles = [] }
  expect_failures = [var.reading_roles]
}
