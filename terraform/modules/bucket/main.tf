# A private bucket: nobody outside the account opens it, it is reached with TLS 1.2 only, and what was deleted or overwritten can be
# restored for some days. Every bucket of the system is made here, but the one of the states.

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV_AWS_144:the design has one region; what a bucket holds can be sent again, or is in the tables or a log group too.
  bucket              = var.bucket
  force_destroy       = !var.enable_deletion_protection
  object_lock_enabled = var.object_lock != null

  lifecycle {
    precondition {
      condition     = length(var.bucket) <= 63
      error_message = "The bucket ${var.bucket} has a name of ${length(var.bucket)} characters; S3 takes 63."
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

# For whoever writes an object without saying how it is locked.
resource "aws_s3_bucket_object_lock_configuration" "this" {
  count = var.object_lock == null ? 0 : 1

  bucket = aws_s3_bucket.this.id

  rule {
    default_retention {
      mode = var.object_lock.mode
      days = var.object_lock.retention_days
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = var.key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  dynamic "rule" {
    for_each = var.expiry_by_prefix

    content {
      id     = "expire-${rule.key == "" ? "all" : trimsuffix(rule.key, "/")}"
      status = "Enabled"

      filter {
        prefix = rule.key
      }

      # Read in milliseconds, at a sixth of the price.
      dynamic "transition" {
        for_each = rule.value.archive_after_days[*]

        content {
          days          = transition.value
          storage_class = "GLACIER_IR"
        }
      }

      expiration {
        days = rule.value.days
      }
    }
  }

  rule {
    id     = "remains"
    status = "Enabled"

    filter {
      prefix = ""
    }

    noncurrent_version_expiration {
      noncurrent_days = var.undo_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_logging" "this" {
  count = var.access_log_bucket == null ? 0 : 1

  bucket        = aws_s3_bucket.this.id
  target_bucket = var.access_log_bucket
  target_prefix = "${var.bucket}/"
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "TlsOnly"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
        {
          Sid       = "NoOldTls"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
          Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
        },
      ],
      [
        for id, statement in var.service_statements : {
          Sid       = id
          Effect    = "Allow"
          Principal = { Service = statement.service }
          Action    = statement.action
          Resource  = statement.objects == null ? aws_s3_bucket.this.arn : "${aws_s3_bucket.this.arn}/${statement.objects}"
          Condition = { StringEquals = statement.equals }
        }
      ],
    )
  })

  # S3 answers 409 if the policy and the block of public policies are set at the same time.
  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_notification" "this" {
  count = var.enable_events ? 1 : 0

  bucket      = aws_s3_bucket.this.id
  eventbridge = true
}
