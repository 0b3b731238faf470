# landing: files of the senders, payments below transactions/ and labels below labels/. quarantine: what the job or the score stage
# refused. work: what the job runs and reads, and its checkpoints. access_log: who read or wrote the other buckets.

locals {
  # Objects with a prefix expire. Others are kept, above all the checkpoint.
  buckets = {
    # What was deleted is kept for a day, because a file may hold card numbers.
    landing    = { expiry_by_prefix = { "" = { days = var.landing_retention_days } }, undo_days = 1 }
    quarantine = { expiry_by_prefix = { "" = { days = var.quarantine_retention_days } }, undo_days = 7 }
    work       = { expiry_by_prefix = { "temp/" = { days = 7 } }, undo_days = 7 }
  }
}

module "buckets" {
  source   = "../bucket"
  for_each = local.buckets

  bucket                     = "${var.name}-${each.key}-${local.account_id}"
  expiry_by_prefix           = each.value.expiry_by_prefix
  undo_days                  = each.value.undo_days
  access_log_bucket          = module.access_log.name
  enable_deletion_protection = var.enable_deletion_protection
  key_arn                    = var.data_key_arn
}

module "access_log" {
  source = "../bucket"

  bucket                     = "${var.name}-access-log-${local.account_id}"
  expiry_by_prefix           = { "" = { days = 90 } }
  access_log_bucket          = null
  enable_deletion_protection = var.enable_deletion_protection
  key_arn                    = null

  service_statements = {
    DeliverAccessLogs = {
      service = "logging.s3.amazonaws.com"
      action  = "s3:PutObject"
      objects = "*"
      equals  = { "aws:SourceAccount" = local.account_id }
    }
  }
}
