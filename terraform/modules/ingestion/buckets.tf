# landing: files of the senders, payments below transactions/ and labels below labels/. quarantine: what the job or the score stage
# refused. work: what the job runs and reads, and its checkpoints. access_log: who read or wrote the other three.

locals {
  # Days after which objects with a prefix are deleted. Others are kept, above all the checkpoint.
  expiry_days_by_bucket = {
    landing    = { "" = var.landing_retention_days }
    quarantine = { "" = var.quarantine_retention_days }
    work       = { "temp/" = 7 }
    access_log = { "" = 90 }
  }
}

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV_AWS_144: the design has one region; history is in DynamoDB, and what is here can be sent again.
  # checkov:skip=CKV2_AWS_62: the job lists the landing bucket on its own, and nothing waits for an event of the others.
  # checkov:skip=CKV_AWS_18: the three buckets with content log to access_log, below; it does not log itself, which would never end.
  # checkov:skip=CKV2_AWS_6: every bucket has its block, below, by a for_each that checkov does not follow; tests/ingestion.tftest.hcl tests it.
  # checkov:skip=CKV_AWS_21: every bucket is versioned, below; as CKV2_AWS_6.
  # checkov:skip=CKV_AWS_145: S3 delivers access logs only to a bucket without a customer key; the other three have one, below.
  for_each = local.expiry_days_by_bucket

  # Bucket names are global; the account id makes them unique.
  bucket        = "${var.name}-${replace(each.key, "_", "-")}-${local.account_id}"
  force_destroy = !var.enable_deletion_protection
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = aws_s3_bucket.this

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    bucket_key_enabled = each.key != "access_log"

    apply_server_side_encryption_by_default {
      sse_algorithm     = each.key == "access_log" ? "AES256" : "aws:kms"
      kms_master_key_id = each.key == "access_log" ? null : var.data_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = local.expiry_days_by_bucket

  bucket = aws_s3_bucket.this[each.key].id

  dynamic "rule" {
    for_each = each.value

    content {
      id     = "expire-${rule.key == "" ? "all" : trimsuffix(rule.key, "/")}"
      status = "Enabled"

      filter {
        prefix = rule.key
      }

      expiration {
        days = rule.value
      }
    }
  }

  # What was deleted or overwritten: a week to undo a mistake. In landing a day, because a file may hold card numbers.
  rule {
    id     = "remains"
    status = "Enabled"

    filter {
      prefix = ""
    }

    noncurrent_version_expiration {
      noncurrent_days = each.key == "landing" ? 1 : 7
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_logging" "this" {
  for_each = { for name, bucket in aws_s3_bucket.this : name => bucket if name != "access_log" }

  bucket        = each.value.id
  target_bucket = aws_s3_bucket.this["access_log"].id
  target_prefix = "${each.key}/"

  depends_on = [aws_s3_bucket_policy.this]
}

resource "aws_s3_bucket_policy" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "TlsOnly"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource  = [each.value.arn, "${each.value.arn}/*"]
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
        {
          Sid       = "NoOldTls"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource  = [each.value.arn, "${each.value.arn}/*"]
          Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
        },
      ],
      [for name in [each.key] : {
        Sid       = "DeliverAccessLogs"
        Effect    = "Allow"
        Principal = { Service = "logging.s3.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${each.value.arn}/*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      } if name == "access_log"],
    )
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}
