# A private bucket, as all stores of objects have it. tests/terraform/test_buckets.py says what each bucket of the system is given.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  bucket                     = "fraud-test-rules-123456789012"
  access_log_bucket          = "fraud-test-access-log"
  enable_deletion_protection = true
  key_arn                    = "arn:aws:kms:us-east-1:123456789012:key/data"
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
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.key_arn
    error_message = "It is encrypted with the customer key."
  }

  assert {
    condition     = aws_s3_bucket_logging.this[0].target_bucket == var.access_log_bucket
    error_message = "Accesses are logged."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[*].Sid == ["TlsOnly", "NoOldTls"]
    error_message = "It is reached with TLS 1.2 only."
  }

  assert {
    condition     = alltrue([for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : statement.Effect == "Deny" && statement.Principal == "*" && join(" ", statement.Resource) == "${aws_s3_bucket.this.arn} ${aws_s3_bucket.this.arn}/*"])
    error_message = "Neither the bucket nor an object is read without it."
  }

  assert {
    condition     = one(aws_s3_bucket_ownership_controls.this.rule).object_ownership == "BucketOwnerEnforced"
    error_message = "No access list of a writer counts."
  }

  assert {
    condition     = join(" ", aws_s3_bucket_lifecycle_configuration.this.rule[*].id) == "remains" && aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration[0].noncurrent_days == 7 && length(aws_s3_bucket_notification.this) == 0
    error_message = "It keeps its objects and announces none, unless it is asked to."
  }
}

run "objects_expire_and_are_announced" {
  command = apply

  module {
    source = "./modules/bucket"
  }

  variables {
    expiry_by_prefix           = { "temp/" = { days = 21, archive_after_days = 1 } }
    undo_days                  = 1
    enable_events              = true
    enable_deletion_protection = false
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].days == 21 && aws_s3_bucket_lifecycle_configuration.this.rule[0].filter[0].prefix == "temp/" && aws_s3_bucket_notification.this[0].eventbridge && aws_s3_bucket.this.force_destroy
    error_message = "Objects are deleted after some days, and EventBridge gets an event for each."
  }

  assert {
    condition     = one(aws_s3_bucket_lifecycle_configuration.this.rule[0].transition).storage_class == "GLACIER_IR" && aws_s3_bucket_lifecycle_configuration.this.rule[1].noncurrent_version_expiration[0].noncurrent_days == 1
    error_message = "They are cheaper to keep after a day, and a mistake can be undone for one."
  }
}

run "a_service_writes_only_on_the_condition_that_is_given" {
  command = apply

  module {
    source = "./modules/bucket"
  }

  variables {
    access_log_bucket  = null
    key_arn            = null
    service_statements = { DeliverAccessLogs = { service = "logging.s3.amazonaws.com", action = "s3:PutObject", objects = "*", equals = { "aws:SourceAccount" = "123456789012" } } }
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[2] == { Sid = "DeliverAccessLogs", Effect = "Allow", Principal = { Service = "logging.s3.amazonaws.com" }, Action = "s3:PutObject", Resource = "${aws_s3_bucket.this.arn}/*", Condition = { StringEquals = { "aws:SourceAccount" = "123456789012" } } }
    error_message = "A service of another account could write here otherwise."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256" && length(aws_s3_bucket_logging.this) == 0
    error_message = "A bucket of access logs has S3's own key, and no log of its own."
  }
}

run "objects_are_locked_where_that_is_asked_for" {
  command = apply

  module {
    source = "./modules/bucket"
  }

  variables {
    object_lock = { mode = "COMPLIANCE", retention_days = 400 }
  }

  assert {
    condition     = aws_s3_bucket.this.object_lock_enabled && one(one(aws_s3_bucket_object_lock_configuration.this[0].rule).default_retention).mode == "COMPLIANCE" && one(one(aws_s3_bucket_object_lock_configuration.this[0].rule).default_retention).days == 400
    error_message = "Each object is locked, whoever writes it."
  }
}

run "nothing_is_locked_otherwise" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  assert {
    condition     = !aws_s3_bucket.this.object_lock_enabled && length(aws_s3_bucket_object_lock_configuration.this) == 0
    error_message = "Object Lock cannot be taken back."
  }
}

run "refuses_a_lock_that_s3_does_not_have" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  variables {
    object_lock = { mode = "NONE", retention_days = 400 }
  }

  expect_failures = [var.object_lock]
}

run "refuses_a_lock_of_no_days" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  variables {
    object_lock = { mode = "GOVERNANCE", retention_days = 0 }
  }

  expect_failures = [var.object_lock]
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
    expiry_by_prefix = { "" = { days = 0.5 } }
  }

  expect_failures = [var.expiry_by_prefix]
}

run "refuses_to_archive_what_is_deleted" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  variables {
    expiry_by_prefix = { "" = { days = 7, archive_after_days = 7 } }
  }

  expect_failures = [var.expiry_by_prefix]
}

run "refuses_no_time_to_undo" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  variables {
    undo_days = 0
  }

  expect_failures = [var.undo_days]
}

run "refuses_a_service_without_a_condition" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  variables {
    service_statements = { AnyTrailWrites = { service = "cloudtrail.amazonaws.com", action = "s3:PutObject", objects = "*", equals = {} } }
  }

  expect_failures = [var.service_statements]
}
