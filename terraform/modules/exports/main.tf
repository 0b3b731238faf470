# Exports the history and the labels, both as of one moment, to a bucket of its own, and then starts a job over the exports. So whoever asks
# for a run needs no right on a table and none on an export. Nothing here runs by itself. The modules backtest and training name the job.

data "aws_caller_identity" "this" {}

locals {
  prefix = "exports/" # of each run: a folder with both exports
}

module "bucket" {
  source = "../bucket"

  bucket = "${var.name}-${data.aws_caller_identity.this.account_id}"
  # An export has every payment, and is of no use after its run.
  expiry_by_prefix           = merge({ (local.prefix) = { days = 3 } }, { for prefix, days in var.days_by_prefix : prefix => { days = days } })
  undo_days                  = 1
  access_log_bucket          = var.access_log_bucket
  enable_deletion_protection = var.enable_deletion_protection
  key_arn                    = var.data_key_arn
}
