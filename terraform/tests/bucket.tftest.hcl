# A private bucket, as functions and the ruleset have it.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  bucket                     = "fraud-test-rules-123456789012"
  access_log_bucket          = "fraud-test-access-log"
  enable_deletion_protection = true
  data_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/data"
}

run "it_is_private_versioned_encrypted_and_logged" {
  command = apply

  module {
    source = "./modules/bucket"
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.this.block_public_acls && aws_s3_bucket_public_access_block.this.block_public_policy && aws_s3_bucket_public_access_block.this.ignore_public_acls && aws_s3_bucket_public_access_block.this.restrict_public_buckets
    error_message = "Nobody can open it."
  }

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled" && !aws_s3_bucket.this.force_destroy
    error_message = "What was overwritten is kept for a while, and a protected bucket is not emptied."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.data_key_arn
    error_message = "It is encrypted with the customer key."
  }

  assert {
    condition     = aws_s3_bucket_logging.this.target_bucket == var.access_log_bucket
    error_message = "Accesses are logged."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[*].Sid == ["TlsOnly", "NoOldTls"]
    error_message = "It is reached with TLS 1.2 only."
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration) == 0 && length(aws_s3_bucket_notification.this) == 0
    error_message = "It keeps its objects and announces none, unless it is asked to."
  }
}

run "objects_expire_and_are_announced" {
  command = apply

  module {
    source = "./modules/bucket"
  }

  variables {
    expiry_days                = 21
    enable_events              = true
    enable_deletion_protection = false
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].days == 21 && aws_s3_bucket_notification.this[0].eventbridge && aws_s3_bucket.this.force_destroy
    error_message = "Objects are deleted after some days, and EventBridge gets an event for each."
  }
}

run "refuses_a_name_that_is_too_long" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  variables {
    bucket = "fraud-test-a-function-with-a-name-that-is-longer-than-a-bucket-s"
  }

  expect_failures = [aws_s3_bucket.this]
}

run "refuses_half_a_day" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  variables {
    expiry_days = 0.5
  }

  expect_failures = [var.expiry_days]
}
