# The trail's files, a year.

module "bucket" {
  source = "../bucket"

  bucket                     = "${var.name}-audit-${local.account_id}"
  expiry_by_prefix           = { "" = { days = 365 } }
  access_log_bucket          = null # the trail's own management events have each access; a log of the log would never end
  enable_deletion_protection = var.enable_deletion_protection
  key_arn                    = var.logs_key_arn

  # As AWS's guide has it ("Amazon S3 bucket policy for CloudTrail"), for this trail alone.
  service_statements = {
    TrailChecksItsBucket = {
      service = "cloudtrail.amazonaws.com"
      action  = "s3:GetBucketAcl"
      equals  = { "aws:SourceArn" = local.trail_arn }
    }
    TrailWrites = {
      service = "cloudtrail.amazonaws.com"
      action  = "s3:PutObject"
      objects = "AWSLogs/${local.account_id}/*"
      equals  = { "aws:SourceArn" = local.trail_arn, "s3:x-amz-acl" = "bucket-owner-full-control" }
    }
  }
}

# Addresses of states from before the module `bucket`.
moved {
  from = aws_s3_bucket.trail
  to   = module.bucket.aws_s3_bucket.this
}

moved {
  from = aws_s3_bucket_public_access_block.trail
  to   = module.bucket.aws_s3_bucket_public_access_block.this
}

moved {
  from = aws_s3_bucket_versioning.trail
  to   = module.bucket.aws_s3_bucket_versioning.this
}

moved {
  from = aws_s3_bucket_server_side_encryption_configuration.trail
  to   = module.bucket.aws_s3_bucket_server_side_encryption_configuration.this
}

moved {
  from = aws_s3_bucket_lifecycle_configuration.trail
  to   = module.bucket.aws_s3_bucket_lifecycle_configuration.this
}

moved {
  from = aws_s3_bucket_policy.trail
  to   = module.bucket.aws_s3_bucket_policy.this
}
