# Lets a ruleset decide again about every stored payment. modules/exports exports the history and the labels as of one moment, and then starts
# a Glue batch job, which is here. Nothing runs by itself: `make backtest ENV=` starts it (docs/guide-backtest-rows.md).

data "aws_partition" "this" {}
data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

locals {
  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition
  region     = data.aws_region.this.name

  artifacts_prefix = "artifacts/"
  runs_prefix      = "runs/" # of each run: its ruleset and models, its report, its scores

  job_name = "${var.name}-backtest"

  # The arguments name places of the run's folder; Glue adds the job's own.
  job_run = { JobName = local.job_name, "Arguments.$" = "$.arguments" }

  start_statements = [{
    Sid      = "StartTheJob"
    Effect   = "Allow"
    Action   = ["glue:StartJobRun"]
    Resource = ["arn:${local.partition}:glue:${local.region}:${local.account_id}:job/${local.job_name}"]
  }]
}

module "exports" {
  source = "../exports"

  name           = local.job_name
  description    = "Exports the history and the labels, and starts ${local.job_name}."
  table_arns     = var.table_arns
  days_by_prefix = { (local.runs_prefix) = 30 }
  start_job = {
    task       = jsonencode({ Resource = "arn:${local.partition}:states:::glue:startJobRun", Parameters = local.job_run })
    statements = jsonencode(local.start_statements)
  }
  access_log_bucket          = var.access_log_bucket
  data_key_arn               = var.data_key_arn
  enable_deletion_protection = var.enable_deletion_protection
  permissions_boundary_arn   = var.permissions_boundary_arn
}

module "code" {
  source = "../glue_code"

  bucket_name = module.exports.bucket.name
  prefix      = local.artifacts_prefix
  script_file = "${var.scripts_dir}/backtest_rows.py"
  build_dir   = var.build_dir
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

  default_arguments = merge(module.code.arguments, {
    "--TempDir"                = "s3://${module.exports.bucket.name}/${local.runs_prefix}temp/"
    "--custom-logGroup-prefix" = local.log_prefix
    "--enable-auto-scaling"    = "true"
    "--job-bookmark-option"    = "job-bookmark-disable"
  })

  command {
    name            = "glueetl"
    python_version  = "3"
    script_location = module.code.script_url
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
