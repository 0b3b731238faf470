# The rights of the job, a statement for each purpose.

resource "aws_iam_role" "job" {
  name                 = "${var.name}-stream-transactions"
  description          = "The Glue job that puts landed transactions onto ${var.kafka.topic}."
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

resource "aws_iam_role_policy" "job" {
  # checkov:skip=CKV_AWS_355: CreateNetworkInterface and DescribeVpcAttribute are on all resources in AWS's own policy AWSGlueServiceRole too; nothing says which ones Glue names.
  # checkov:skip=CKV_AWS_290: as CKV_AWS_355; a condition bounds the metrics.
  name = "job"
  role = aws_iam_role.job.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "ListItsPrefixes"
        Effect = "Allow"
        Action = ["s3:GetBucketLocation", "s3:ListBucket"]
        Resource = [
          for name in ["landing", "quarantine", "work"] : module.buckets[name].arn
        ]
      },
      {
        # Written out: with a `for` over these strings checkov evaluates nothing of the policy.
        Sid    = "ReadLandedFiles"
        Effect = "Allow"
        Action = "s3:GetObject"
        Resource = [
          "${module.buckets["landing"].arn}/transactions/*",
          "${module.buckets["landing"].arn}/labels/*",
        ]
      },
      {
        # Its mappings are there too.
        Sid      = "RunItsCode"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = "${module.buckets["work"].arn}/artifacts/*"
      },
      {
        # Deleting as well: a repeated batch overwrites its first try, and Spark trims its checkpoint.
        Sid    = "WriteQuarantineAndCheckpoint"
        Effect = "Allow"
        Action = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = [
          "${module.buckets["quarantine"].arn}/ingestion/*",
          "${module.buckets["quarantine"].arn}/label_files/*",
          "${module.buckets["work"].arn}/checkpoints/*",
          "${module.buckets["work"].arn}/temp/*",
        ]
      },
      {
        # The labels queue has the same key.
        Sid      = "EncryptAndDecryptPayments"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
        Resource = var.data_key_arn
      },
      {
        Sid      = "DeriveTokenizationKey"
        Effect   = "Allow"
        Action   = "kms:GenerateMac"
        Resource = aws_kms_key.tokenization.arn
      },
      {
        # Spark's producer is idempotent.
        Sid      = "SignInToBrokers"
        Effect   = "Allow"
        Action   = ["kafka-cluster:Connect", "kafka-cluster:WriteDataIdempotently"]
        Resource = var.kafka.cluster_arn
      },
      {
        Sid      = "ProduceRecords"
        Effect   = "Allow"
        Action   = ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"]
        Resource = var.kafka.topic_arn
      },
      {
        Sid      = "SendLabels"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = var.labels_queue.arn
      },
      {
        Sid    = "ReadItsConnections"
        Effect = "Allow"
        Action = "glue:GetConnection"
        Resource = concat(
          ["arn:${local.partition}:glue:${local.region}:${local.account_id}:catalog"],
          [for connection in aws_glue_connection.kafka : connection.arn],
        )
      },
      {
        Sid    = "ConnectToTheNetwork"
        Effect = "Allow"
        Action = [
          "ec2:CreateNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeRouteTables",
          "ec2:DescribeSecurityGroups",
          "ec2:DescribeSubnets",
          "ec2:DescribeVpcAttribute",
          "ec2:DescribeVpcEndpoints",
        ]
        Resource = "*"
      },
      {
        Sid       = "TagItsNetworkInterfaces"
        Effect    = "Allow"
        Action    = ["ec2:CreateTags", "ec2:DeleteTags"]
        Resource  = "arn:${local.partition}:ec2:${local.region}:${local.account_id}:network-interface/*"
        Condition = { "ForAllValues:StringEquals" = { "aws:TagKeys" = ["aws-glue-service-resource"] } }
      },
      {
        # Glue tags the interfaces that it creates; it may not delete others.
        Sid       = "DeleteItsNetworkInterfaces"
        Effect    = "Allow"
        Action    = "ec2:DeleteNetworkInterface"
        Resource  = "arn:${local.partition}:ec2:${local.region}:${local.account_id}:network-interface/*"
        Condition = { StringLike = { "aws:ResourceTag/aws-glue-service-resource" = "*" } }
      },
      {
        # Without AssociateKmsKey Glue writes no log at all ("Logging for AWS Glue jobs"). CreateLogGroup is for a group that somebody
        # deleted while the job ran. IAM knows a log group by the ARN that ends in `:*` (CloudWatch Logs API, LogGroup).
        Sid      = "WriteItsLogs"
        Effect   = "Allow"
        Action   = ["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = [for group in aws_cloudwatch_log_group.this : "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${group.name}:*"]
      },
      {
        Sid       = "WriteItsMetrics"
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*"
        Condition = { StringEquals = { "cloudwatch:namespace" = "Glue" } }
      },
    ]
  })
}
