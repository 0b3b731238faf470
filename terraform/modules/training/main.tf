# Trains a model on what the system has stored. `make train ENV=` takes the role of the trainers and starts the state machine of
# modules/exports. It exports the tables and starts a SageMaker training job: `training/` in AWS's own container of scikit-learn. Nothing runs by
# itself. The job writes its model below `models/proposed/` of the rules bucket. No function reads it there; a person decides what becomes of
# it (decision 0026).

data "aws_partition" "this" {}
data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

# Its address alone, from the provider's own table of AWS's registries: nothing is looked up.
data "aws_sagemaker_prebuilt_ecr_image" "this" {
  repository_name = "sagemaker-scikit-learn"
  image_tag       = local.image_tag
}

locals {
  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition
  region     = data.aws_region.this.name

  # Python 3.12 and scikit-learn 1.9, the version of requirements/train.txt. ops/packaging/training_job.py takes wheels for this Python.
  image_tag = "1.9-0-cpu-py3"

  code_prefix     = "code/" # of each run: the code, and the ruleset beside which its model will decide
  proposed_prefix = "models/proposed/"

  job_arn = "arn:${local.partition}:sagemaker:${local.region}:${local.account_id}:training-job/${var.name}-*"
  # SageMaker has one log group for all training jobs of an account, and creates it.
  log_group_arn = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:/aws/sagemaker/TrainingJobs"
  image_arn     = "arn:${local.partition}:ecr:${local.region}:${data.aws_sagemaker_prebuilt_ecr_image.this.registry_id}:repository/sagemaker-scikit-learn"

  via_s3 = "s3.${local.region}.amazonaws.com"
}

module "exports" {
  source = "../exports"

  name           = "${var.name}-training"
  description    = "Exports the history and the labels, and starts a training job."
  table_arns     = var.table_arns
  days_by_prefix = { (local.code_prefix) = 3 }
  start_job = {
    task       = jsonencode({ Resource = "arn:${local.partition}:states:::aws-sdk:sagemaker:createTrainingJob", Parameters = local.training_job })
    statements = jsonencode(local.start_statements)
  }
  access_log_bucket          = var.access_log_bucket
  data_key_arn               = var.data_key_arn
  enable_deletion_protection = var.enable_deletion_protection
  permissions_boundary_arn   = var.permissions_boundary_arn
}
