# An export is asked for, seen to its end, and a failed one fails the execution.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  table_arns   = ["arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-labels"]
  request      = "{\"TableArn\": \"arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-labels\", \"S3Prefix.$\": \"$.folder\"}"
  bucket       = { name = "fraud-test-exports", arn = "arn:aws:s3:::fraud-test-exports" }
  prefix       = "exports/"
  data_key_arn = "arn:aws:kms:us-east-1:123456789012:key/data"
  poll_seconds = 60
  max_retries  = 3
}

run "an_export_is_encrypted_in_its_bucket_and_seen_to_its_end" {
  command = apply

  module {
    source = "./modules/table_export"
  }

  assert {
    condition = jsonencode(output.states.Export.Parameters) == jsonencode({
      TableArn       = var.table_arns[0]
      "S3Prefix.$"   = "$.folder"
      S3Bucket       = "fraud-test-exports"
      ExportFormat   = "DYNAMODB_JSON"
      S3SseAlgorithm = "KMS"
      S3SseKmsKeyId  = var.data_key_arn
    })
    error_message = "What was asked for, encrypted with the customer key."
  }

  assert {
    condition     = output.states.LetItRun.Seconds == 60 && output.states.Export.Retry[0].MaxAttempts == 3 && output.states.IsItOver.Default == "LetItRun"
    error_message = "It looks each minute until the export has ended."
  }

  assert {
    condition     = [for choice in output.states.IsItOver.Choices : [choice.StringEquals, output.states[choice.Next].Type]] == [["COMPLETED", "Succeed"], ["FAILED", "Fail"]]
    error_message = "A failed export fails."
  }
}

run "it_exports_these_tables_to_this_folder_alone" {
  command = apply

  module {
    source = "./modules/table_export"
  }

  assert {
    condition = jsonencode(output.statements[*].Resource) == jsonencode([
      var.table_arns, ["${var.table_arns[0]}/export/*"], ["arn:aws:s3:::fraud-test-exports/exports/*"], [var.data_key_arn],
    ])
    error_message = "Each right names its resource."
  }
}

run "refuses_a_prefix_that_begins_other_names_too" {
  command = plan

  module {
    source = "./modules/table_export"
  }

  variables {
    prefix = "exports"
  }

  expect_failures = [var.prefix]
}
