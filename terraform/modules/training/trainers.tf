# The role of the people who train. They start exports and jobs, and fetch what a job proposed; they read no payment. A job is started with
# these settings or not at all: its own role, no network for the container, the VPC's subnets, the customer key.

resource "aws_iam_role" "trainers" {
  name                 = "${var.name}-trainers"
  description          = "People who train models. They start exports and training jobs, and read proposed models, but no payments."
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
        Sid      = "ExportTheTables"
        Effect   = "Allow"
        Action   = ["dynamodb:ExportTableToPointInTime"]
        Resource = values(var.table_arns)
      },
      {
        Sid      = "FollowTheExports"
        Effect   = "Allow"
        Action   = ["dynamodb:DescribeExport"]
        Resource = [for arn in values(var.table_arns) : "${arn}/export/*"]
      },
      # DynamoDB writes an export in the name of whoever asks for it.
      {
        Sid      = "WriteExportsAndCode"
        Effect   = "Allow"
        Action   = ["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"]
        Resource = [for prefix in [local.exports_prefix, local.code_prefix] : "${module.bucket.arn}/${prefix}*"]
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
        Condition = { StringEquals = { "kms:ViaService" = [local.via.dynamodb, local.via.s3] } }
      },
      # SageMaker checks the key of the job's disk in the name of whoever starts the job.
      {
        Sid       = "EncryptTheJobsDisk"
        Effect    = "Allow"
        Action    = ["kms:CreateGrant"]
        Resource  = [var.data_key_arn]
        Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
      },
      {
        Sid      = "StartJobsOnlyLikeThis"
        Effect   = "Allow"
        Action   = ["sagemaker:CreateTrainingJob"]
        Resource = [local.job_arn]
        Condition = {
          Bool                        = { "sagemaker:NetworkIsolation" = "true" }
          StringEquals                = { "sagemaker:OutputKmsKey" = var.data_key_arn, "sagemaker:VolumeKmsKey" = var.data_key_arn }
          "ForAllValues:StringEquals" = { "sagemaker:InstanceTypes" = [var.instance_type], "sagemaker:VpcSecurityGroupIds" = [var.security_group_id], "sagemaker:VpcSubnets" = var.subnet_ids }
          # ForAllValues is met where there is none.
          Null = { "sagemaker:VpcSecurityGroupIds" = "false", "sagemaker:VpcSubnets" = "false" }
        }
      },
      {
        Sid      = "FollowAndStopJobs"
        Effect   = "Allow"
        Action   = ["sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"]
        Resource = [local.job_arn]
      },
      {
        Sid       = "GiveJobsTheirRole"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [aws_iam_role.job.arn]
        Condition = { StringEquals = { "iam:PassedToService" = "sagemaker.amazonaws.com" } }
      },
    ]
  }
}

resource "aws_iam_role_policy" "trainers" {
  name   = "train"
  role   = aws_iam_role.trainers.id
  policy = jsonencode(local.trainers_policy)
}
