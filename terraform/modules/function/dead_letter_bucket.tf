# The bucket for what the mapping of a stream dead-letters: Lambda stores the records there with their content, which a message in a
# queue does not hold, and which the stream drops after 24 hours. EventBridge announces each object in the dead-letter queue; S3's own
# notifications would send it a test message at every change, which pages.

locals {
  dead_letter_bucket_name = "${local.function_name}-dead-letter-${local.account_id}"
  bucket_triggers         = { for trigger in [local.trigger] : trigger.type => trigger if lookup(trigger, "on_failure", "") == "dead_letter_bucket" }
}

resource "aws_s3_bucket" "dead_letter" {
  # checkov:skip=CKV_AWS_144:the design has one region, and an object is needed until it is redriven.
  # checkov:skip=CKV2_AWS_62:EventBridge gets its events, below, by a for_each that checkov does not follow; tests/function.tftest.hcl tests it.
  # checkov:skip=CKV_AWS_18:it logs, below; as CKV2_AWS_62.
  # checkov:skip=CKV2_AWS_6:it has its block, below; as CKV2_AWS_62.
  # checkov:skip=CKV_AWS_21:it is versioned, below; as CKV2_AWS_62.
  # checkov:skip=CKV_AWS_145:it has the customer key, below; as CKV2_AWS_62.
  # checkov:skip=CKV2_AWS_61:its objects expire, below; as CKV2_AWS_62.
  for_each = local.bucket_triggers

  # Bucket names are global; the account id makes them unique.
  bucket        = local.dead_letter_bucket_name
  force_destroy = !var.enable_deletion_protection

  lifecycle {
    precondition {
      condition     = length(local.dead_letter_bucket_name) <= 63
      error_message = "The bucket ${local.dead_letter_bucket_name} has a name of ${length(local.dead_letter_bucket_name)} characters; S3 takes 63. Shorten the function's folder or the project."
    }
  }
}

resource "aws_s3_bucket_public_access_block" "dead_letter" {
  for_each = aws_s3_bucket.dead_letter

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "dead_letter" {
  for_each = aws_s3_bucket.dead_letter

  bucket = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "dead_letter" {
  for_each = aws_s3_bucket.dead_letter

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "dead_letter" {
  for_each = aws_s3_bucket.dead_letter

  bucket = each.value.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.key_arns.data
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "dead_letter" {
  for_each = aws_s3_bucket.dead_letter

  bucket = each.value.id

  # A week longer than SQS keeps the message that names it.
  rule {
    id     = "expire-all"
    status = "Enabled"

    filter {
      prefix = ""
    }

    expiration {
      days = 21
    }

    noncurrent_version_expiration {
      noncurrent_days = 7
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.dead_letter]
}

resource "aws_s3_bucket_logging" "dead_letter" {
  for_each = aws_s3_bucket.dead_letter

  bucket        = each.value.id
  target_bucket = var.access_log_bucket
  target_prefix = "${local.function_name}-dead-letter/"
}

resource "aws_s3_bucket_policy" "dead_letter" {
  for_each = aws_s3_bucket.dead_letter

  bucket = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
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
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.dead_letter]
}

resource "aws_s3_bucket_notification" "dead_letter" {
  for_each = aws_s3_bucket.dead_letter

  bucket      = each.value.id
  eventbridge = true
}

resource "aws_cloudwatch_event_rule" "dead_letter" {
  for_each = aws_s3_bucket.dead_letter

  name        = "${local.function_name}-dead-letter"
  description = "Records of a stream that were dead-lettered with their content."
  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail      = { bucket = { name = [each.value.bucket] } }
  })
}

resource "aws_cloudwatch_event_target" "dead_letter" {
  for_each = aws_cloudwatch_event_rule.dead_letter

  rule = each.value.name
  arn  = aws_sqs_queue.dead_letter.arn
}
