# Lets a ruleset decide again about every stored payment: a state machine exports the history and the labels as of one moment, and starts a
# Glue batch job over the exports. Nothing here runs by itself: `make backtest ENV=` starts it (docs/guide-backtest-rows.md).

data "aws_partition" "this" {}
data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

locals {
  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition
  region     = data.aws_region.this.name

  artifacts_prefix = "artifacts/"
  exports_prefix   = "exports/"
  runs_prefix      = "runs/" # of each run: its ruleset and model, its report, its scores

  job_name = "${var.name}-backtest"
}

module "bucket" {
  source = "../bucket"

  bucket = "${var.name}-backtest-${local.account_id}"
  # An export has every payment, and is of no use after its run.
  expiry_by_prefix           = { (local.exports_prefix) = { days = 3 }, (local.runs_prefix) = { days = 30 } }
  undo_days                  = 1
  access_log_bucket          = var.access_log_bucket
  enable_deletion_protection = var.enable_deletion_protection
  key_arn                    = var.data_key_arn
}

resource "aws_glue_job" "this" {
  name                   = local.job_name
  description            = "Decides again about exported payments, by a ruleset that is tried."
  role_arn               = aws_iam_role.job.arn
  glue_version           = "5.0"
  worker_type            = "G.1X"
  number_of_workers      = var.maximum_workers
  security_configuration = aws_glue_security_configuration.this.name
  timeout                = var.maximum_minutes

  default_arguments = {
    "--extra-py-files"            = "s3://${module.bucket.name}/${aws_s3_object.packages.key}"
    "--additional-python-modules" = join(",", [for wheel in aws_s3_object.wheels : "s3://${module.bucket.name}/${wheel.key}"])
    "--TempDir"                   = "s3://${module.bucket.name}/${local.runs_prefix}temp/"
    "--custom-logGroup-prefix"    = local.log_prefix
    "--enable-auto-scaling"       = "true"
    "--job-bookmark-option"       = "job-bookmark-disable"
  }

  command {
    name            = "glueetl"
    python_version  = "3"
    script_location = "s3://${module.bucket.name}/${aws_s3_object.script.key}"
  }

  execution_property {
    max_concurrent_runs = 3
  }
}

resource "aws_glue_security_configuration" "this" {
  name = local.job_name

  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "SSE-KMS"
      kms_key_arn                = var.logs_key_arn
    }

    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "CSE-KMS"
      kms_key_arn                   = var.data_key_arn
    }

    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = var.data_key_arn
    }
  }
}

# Glue's names, as in the module ingestion.
locals {
  log_prefix = "/aws-glue/${local.job_name}"
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["output", "error"])

  name              = "${local.log_prefix}/${aws_glue_security_configuration.this.name}-role/${aws_iam_role.job.name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_key_arn
}
