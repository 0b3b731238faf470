# Addresses of states from before the module `bucket`. Moved, because a bucket that is protected cannot be replaced, and because an old
# policy or block that is deleted after the new one is made would leave its bucket open.

moved {
  from = aws_s3_bucket.this["landing"]
  to   = module.buckets["landing"].aws_s3_bucket.this
}

moved {
  from = aws_s3_bucket_public_access_block.this["landing"]
  to   = module.buckets["landing"].aws_s3_bucket_public_access_block.this
}

moved {
  from = aws_s3_bucket_ownership_controls.this["landing"]
  to   = module.buckets["landing"].aws_s3_bucket_ownership_controls.this
}

moved {
  from = aws_s3_bucket_versioning.this["landing"]
  to   = module.buckets["landing"].aws_s3_bucket_versioning.this
}

moved {
  from = aws_s3_bucket_server_side_encryption_configuration.this["landing"]
  to   = module.buckets["landing"].aws_s3_bucket_server_side_encryption_configuration.this
}

moved {
  from = aws_s3_bucket_lifecycle_configuration.this["landing"]
  to   = module.buckets["landing"].aws_s3_bucket_lifecycle_configuration.this
}

moved {
  from = aws_s3_bucket_logging.this["landing"]
  to   = module.buckets["landing"].aws_s3_bucket_logging.this[0]
}

moved {
  from = aws_s3_bucket_policy.this["landing"]
  to   = module.buckets["landing"].aws_s3_bucket_policy.this
}

moved {
  from = aws_s3_bucket.this["quarantine"]
  to   = module.buckets["quarantine"].aws_s3_bucket.this
}

moved {
  from = aws_s3_bucket_public_access_block.this["quarantine"]
  to   = module.buckets["quarantine"].aws_s3_bucket_public_access_block.this
}

moved {
  from = aws_s3_bucket_ownership_controls.this["quarantine"]
  to   = module.buckets["quarantine"].aws_s3_bucket_ownership_controls.this
}

moved {
  from = aws_s3_bucket_versioning.this["quarantine"]
  to   = module.buckets["quarantine"].aws_s3_bucket_versioning.this
}

moved {
  from = aws_s3_bucket_server_side_encryption_configuration.this["quarantine"]
  to   = module.buckets["quarantine"].aws_s3_bucket_server_side_encryption_configuration.this
}

moved {
  from = aws_s3_bucket_lifecycle_configuration.this["quarantine"]
  to   = module.buckets["quarantine"].aws_s3_bucket_lifecycle_configuration.this
}

moved {
  from = aws_s3_bucket_logging.this["quarantine"]
  to   = module.buckets["quarantine"].aws_s3_bucket_logging.this[0]
}

moved {
  from = aws_s3_bucket_policy.this["quarantine"]
  to   = module.buckets["quarantine"].aws_s3_bucket_policy.this
}

moved {
  from = aws_s3_bucket.this["work"]
  to   = module.buckets["work"].aws_s3_bucket.this
}

moved {
  from = aws_s3_bucket_public_access_block.this["work"]
  to   = module.buckets["work"].aws_s3_bucket_public_access_block.this
}

moved {
  from = aws_s3_bucket_ownership_controls.this["work"]
  to   = module.buckets["work"].aws_s3_bucket_ownership_controls.this
}

moved {
  from = aws_s3_bucket_versioning.this["work"]
  to   = module.buckets["work"].aws_s3_bucket_versioning.this
}

moved {
  from = aws_s3_bucket_server_side_encryption_configuration.this["work"]
  to   = module.buckets["work"].aws_s3_bucket_server_side_encryption_configuration.this
}

moved {
  from = aws_s3_bucket_lifecycle_configuration.this["work"]
  to   = module.buckets["work"].aws_s3_bucket_lifecycle_configuration.this
}

moved {
  from = aws_s3_bucket_logging.this["work"]
  to   = module.buckets["work"].aws_s3_bucket_logging.this[0]
}

moved {
  from = aws_s3_bucket_policy.this["work"]
  to   = module.buckets["work"].aws_s3_bucket_policy.this
}

moved {
  from = aws_s3_bucket.this["access_log"]
  to   = module.access_log.aws_s3_bucket.this
}

moved {
  from = aws_s3_bucket_public_access_block.this["access_log"]
  to   = module.access_log.aws_s3_bucket_public_access_block.this
}

moved {
  from = aws_s3_bucket_ownership_controls.this["access_log"]
  to   = module.access_log.aws_s3_bucket_ownership_controls.this
}

moved {
  from = aws_s3_bucket_versioning.this["access_log"]
  to   = module.access_log.aws_s3_bucket_versioning.this
}

moved {
  from = aws_s3_bucket_server_side_encryption_configuration.this["access_log"]
  to   = module.access_log.aws_s3_bucket_server_side_encryption_configuration.this
}

moved {
  from = aws_s3_bucket_lifecycle_configuration.this["access_log"]
  to   = module.access_log.aws_s3_bucket_lifecycle_configuration.this
}

moved {
  from = aws_s3_bucket_policy.this["access_log"]
  to   = module.access_log.aws_s3_bucket_policy.this
}
