# The role of the people who train. They send code, ask the state machine for a training, and fetch what a job proposed. They read no payment,
# and have no right on a table, an export, or the start of a job: how it is started is written in start.tf.

resource "aws_iam_role" "trainers" {
  name                 = "${var.name}-trainers"
  description          = "People who train models. They ask for trainings, and read proposed models, but no payments."
  max_session_duration = 12 * 3600 # an export of years and a training take hours
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "NamedPeople"
      Effect    = "Allow"
      Principal = { AWS = var.trainer_arns }
      Action    = "sts:AssumeRole"
    }]
  })
}

locals {
  trainers_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "AskForTrainings"
        Effect   = "Allow"
        Action   = ["states:StartExecution"]
        Resource = [module.exports.state_machine_arn]
      },
      {
        Sid      = "FollowAndStopThem"
        Effect   = "Allow"
        Action   = ["states:DescribeExecution", "states:StopExecution"]
        Resource = ["${replace(module.exports.state_machine_arn, ":stateMachine:", ":execution:")}:*"]
      },
      {
        Sid      = "FollowAndStopJobs"
        Effect   = "Allow"
        Action   = ["sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"]
        Resource = [local.job_arn]
      },
      {
        Sid      = "SendCode"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["${module.exports.bucket.arn}/${local.code_prefix}*"]
      },
      {
        Sid      = "ReadProposedModels"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["${var.rules_bucket.arn}/${local.proposed_prefix}*"]
      },
      {
        Sid       = "FindThem"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = [var.rules_bucket.arn]
        Condition = { StringLike = { "s3:prefix" = ["${local.proposed_prefix}*"] } }
      },
      {
        Sid       = "DecryptAndEncryptThem"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [var.data_key_arn]
        Condition = { StringEquals = { "kms:ViaService" = [local.via_s3] } }
      },
    ]
  }
}

resource "aws_iam_role_policy" "trainers" {
  name   = "train"
  role   = aws_iam_role.trainers.id
  policy = jsonencode(local.trainers_policy)
}
