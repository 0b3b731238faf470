# The rights of the job: it reads exports, rulesets and its code, and writes reports and scores. It reads no table and no other bucket.

resource "aws_iam_role" "job" {
  name                 = "${local.job_name}-job"
  description          = "The Glue job that decides again about exported payments."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "GlueOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "glue.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

locals {
  job_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ListItsBucket"
        Effect   = "Allow"
        Action   = ["s3:GetBucketLocation", "s3:ListBucket"]
        Resource = [module.exports.bucket.arn]
      },
      {
        Sid      = "ReadExportsAndCode"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = [for prefix in [local.artifacts_prefix, module.exports.prefix] : "${module.exports.bucket.arn}/${prefix}*"]
      },
      {
        # Deleting as well: Spark renames what it has written, which on S3 is a copy.
        Sid      = "ReadAndWriteRuns"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = ["${module.exports.bucket.arn}/${local.runs_prefix}*"]
      },
      {
        Sid       = "DecryptAndEncryptThem"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [var.data_key_arn]
        Condition = { StringEquals = { "kms:ViaService" = ["s3.${local.region}.amazonaws.com"] } }
      },
      {
        # "Logging for AWS Glue jobs": without AssociateKmsKey Glue writes no log at all.
        Sid      = "WriteItsLogs"
        Effect   = "Allow"
        Action   = ["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = [for group in aws_cloudwatch_log_group.this : "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${group.name}:*"]
      },
    ]
  }
}

resource "aws_iam_role_policy" "job" {
  name   = "decide"
  role   = aws_iam_role.job.id
  policy = jsonencode(local.job_policy)
}
