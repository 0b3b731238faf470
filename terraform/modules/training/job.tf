# The role of the training job. Its container has no network at all: SageMaker itself fetches the job's input and stores what it made, in the
# role's name and by the VPC's endpoint of S3.

resource "aws_iam_role" "job" {
  name                 = "${var.name}-training-job"
  description          = "Training jobs: they read exports and code, and propose a model."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TrainingJobsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "sagemaker.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account_id }
        ArnLike      = { "aws:SourceArn" = local.job_arn }
      }
    }]
  })
}

locals {
  job_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadExportsAndCode"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = [for prefix in values(local.prefix_by_channel) : "${module.exports.bucket.arn}/${prefix}*"]
      },
      {
        Sid       = "FindThem"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = [module.exports.bucket.arn]
        Condition = { StringLike = { "s3:prefix" = [for prefix in values(local.prefix_by_channel) : "${prefix}*"] } }
      },
      {
        Sid      = "ProposeAModel"
        Effect   = "Allow"
        Action   = ["s3:AbortMultipartUpload", "s3:PutObject"]
        Resource = ["${var.rules_bucket.arn}/${local.proposed_prefix}*"]
      },
      {
        Sid       = "DecryptAndEncryptThem"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [var.data_key_arn]
        Condition = { StringEquals = { "kms:ViaService" = [local.via_s3] } }
      },
      # The disk that the exports are copied to.
      {
        Sid       = "EncryptTheDisk"
        Effect    = "Allow"
        Action    = ["kms:CreateGrant"]
        Resource  = [var.data_key_arn]
        Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
      },
      {
        Sid      = "FetchTheContainer"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = [local.image_arn]
      },
      {
        Sid       = "SignInToItsRegistry"
        Effect    = "Allow"
        Action    = ["ecr:GetAuthorizationToken"]
        Resource  = ["*"] # IAM's reference has no resource for it
        Condition = { StringEquals = { "aws:RequestedRegion" = local.region } }
      },
      # SageMaker's guide, "CreateTrainingJob API: Execution Role Permissions", for a job in a VPC. Of these only the first can be limited.
      {
        Sid    = "ConnectToTheNetwork"
        Effect = "Allow"
        Action = ["ec2:CreateNetworkInterface"]
        Resource = concat(
          ["arn:${local.partition}:ec2:${local.region}:${local.account_id}:network-interface/*"],
          [for id in var.subnet_ids : "arn:${local.partition}:ec2:${local.region}:${local.account_id}:subnet/${id}"],
          ["arn:${local.partition}:ec2:${local.region}:${local.account_id}:security-group/${var.security_group_id}"],
        )
      },
      {
        Sid    = "KeepTheConnection"
        Effect = "Allow"
        Action = [
          "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface", "ec2:DeleteNetworkInterfacePermission",
        ]
        Resource  = ["arn:${local.partition}:ec2:${local.region}:${local.account_id}:network-interface/*"]
        Condition = { ArnLikeIfExists = { "ec2:Vpc" = var.vpc_arn } }
      },
      {
        Sid       = "LookAtTheNetwork"
        Effect    = "Allow"
        Action    = ["ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"]
        Resource  = ["*"] # IAM's reference has no resource for them
        Condition = { StringEquals = { "aws:RequestedRegion" = local.region } }
      },
      {
        Sid      = "WriteTheLog"
        Effect   = "Allow"
        Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = [local.log_group_arn, "${local.log_group_arn}:log-stream:${var.name}-*"]
      },
      {
        Sid       = "WriteItsMetrics"
        Effect    = "Allow"
        Action    = ["cloudwatch:PutMetricData"]
        Resource  = ["*"] # IAM's reference has no resource for it
        Condition = { StringEquals = { "cloudwatch:namespace" = "/aws/sagemaker/TrainingJobs" } }
      },
    ]
  }
}

resource "aws_iam_role_policy" "job" {
  name   = "train"
  role   = aws_iam_role.job.id
  policy = jsonencode(local.job_policy)
}
