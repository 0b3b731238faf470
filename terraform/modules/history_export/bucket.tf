# The bucket of the exports: as private as the landing bucket, and cheap to keep, because it is read by an import or a training run only.

module "bucket" {
  source = "../bucket"

  bucket                     = "${var.name}-history-export-${data.aws_caller_identity.this.account_id}"
  expiry_by_prefix           = { (local.prefix) = { days = var.kept_days, archive_after_days = 1 } }
  access_log_bucket          = var.access_log_bucket
  enable_deletion_protection = var.enable_deletion_protection
  key_arn                    = var.data_key_arn
}

# Addresses of states from before the module `bucket`.
moved {
  from = aws_s3_bucket.this
  to   = module.bucket.aws_s3_bucket.this
}

moved {
  from = aws_s3_bucket_public_access_block.this
  to   = module.bucket.aws_s3_bucket_public_access_block.this
}

moved {
  from = aws_s3_bucket_ownership_controls.this
  to   = module.bucket.aws_s3_bucket_ownership_controls.this
}

moved {
  from = aws_s3_bucket_versioning.this
  to   = module.bucket.aws_s3_bucket_versioning.this
}

moved {
  from = aws_s3_bucket_server_side_encryption_configuration.this
  to   = module.bucket.aws_s3_bucket_server_side_encryption_configuration.this
}

moved {
  from = aws_s3_bucket_lifecycle_configuration.this
  to   = module.bucket.aws_s3_bucket_lifecycle_configuration.this
}

moved {
  from = aws_s3_bucket_logging.this
  to   = module.bucket.aws_s3_bucket_logging.this[0]
}

moved {
  from = aws_s3_bucket_policy.this
  to   = module.bucket.aws_s3_bucket_policy.this
}
