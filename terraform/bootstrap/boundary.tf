# The maximum that a role of the system can do, even if its own policy allows more. The functions' policies name each table and
# topic; the boundary limits the damage if one of them is wrong.

data "aws_iam_policy_document" "boundary" {
  for_each = var.environments

  statement {
    sid = "TheSystemsOwnTables"
    actions = [
      "dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:DescribeExport", "dynamodb:DescribeStream",
      "dynamodb:ExportTableToPointInTime", "dynamodb:GetItem", "dynamodb:GetRecords",
      "dynamodb:GetShardIterator", "dynamodb:ListStreams", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate",
      "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
    ]
    resources = ["${local.arn.dynamodb}:table/${local.prefix[each.key]}-*"]
  }

  # Rows are deleted from no other table: payments, alerts and labels expire.
  statement {
    sid       = "CountsFiltersAndWhatLabelsTakeBack"
    actions   = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem"]
    resources = [for table in ["entity_risk", "pending_labels", "record_crashes", "saved_filters"] : "${local.arn.dynamodb}:table/${local.prefix[each.key]}-${table}"]
  }

  # No other table is read as a whole.
  statement {
    sid       = "SessionsCopiesOfLabelsAndSamplesOfPayments"
    actions   = ["dynamodb:Scan"]
    resources = [for table in ["console_sessions", "entity_risk", "labels", "transaction_history"] : "${local.arn.dynamodb}:table/${local.prefix[each.key]}-${table}"]
  }

  # The other queues are read by people and by subscribers alone.
  statement {
    sid       = "LabelsAndAlertsOfTheCanary"
    actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
    resources = [for queue in ["canary", "labels"] : "${local.arn.sqs}:${local.prefix[each.key]}-${queue}"]
  }

  statement {
    sid       = "TheSystemsOwnBuckets"
    actions   = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:GetBucketLocation", "s3:ListBucket", "s3:PutObject", "s3:PutObjectAcl"]
    resources = ["arn:${local.partition}:s3:::${local.prefix[each.key]}-*"]
  }

  statement {
    sid       = "AuditHeadsAreLocked"
    actions   = ["s3:PutObjectRetention"]
    resources = ["arn:${local.partition}:s3:::${local.prefix[each.key]}-audit-heads-*"]
  }

  statement {
    sid     = "TheSystemsOwnQueuesAndTopics"
    actions = ["sns:Publish", "sqs:GetQueueUrl", "sqs:SendMessage"]
    resources = [
      "${local.arn.sns}:${local.prefix[each.key]}-*",
      "${local.arn.sqs}:${local.prefix[each.key]}-*",
    ]
  }

  statement {
    sid = "BrokersCacheAndRules"
    actions = [
      "appconfig:CreateHostedConfigurationVersion", "appconfig:GetDeployment", "appconfig:GetHostedConfigurationVersion", "appconfig:GetLatestConfiguration",
      "appconfig:ListDeployments", "appconfig:StartConfigurationSession", "appconfig:StartDeployment", "appconfig:StopDeployment", "elasticache:Connect",
      "kafka-cluster:*", "kafka:DescribeCluster", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers",
    ]
    resources = [
      "${local.arn.appconfig}:application/*",
      "${local.arn.appconfig}:deploymentstrategy/*",
      "${local.arn.elasticache}:*:${local.prefix[each.key]}-*",
      "${local.arn.elasticache}:*:${local.prefix[each.key]}",
      "${local.arn.kafka}:*/${local.prefix[each.key]}/*",
      "${local.arn.kafka}:*/${local.prefix[each.key]}-*",
    ]
  }

  # Rollback alarms, the validator, the job's connection, what keeps the job running, and what services need for a function in a VPC.
  statement {
    sid = "WhatServicesAskOfARole"
    actions = [
      "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:PutMetricData", "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface",
      "ec2:CreateNetworkInterfacePermission", "ec2:CreateTags", "ec2:DeleteNetworkInterface", "ec2:DeleteNetworkInterfacePermission", "ec2:DeleteTags", "ec2:Describe*", "ec2:UnassignPrivateIpAddresses", "glue:GetConnection", "glue:GetJobRuns",
      "glue:StartJobRun",
      "lambda:InvokeFunction", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents",
      "logs:PutRetentionPolicy", "logs:DescribeLogGroups", "logs:AssociateKmsKey",
      "states:StartExecution", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
    ]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [var.region]
    }
  }

  # Training (modules/training): AWS's container, and jobs that its state machine starts with the role of the jobs.
  statement {
    sid       = "AwssContainers"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer"]
    resources = ["*"]
  }

  statement {
    sid       = "TrainingJobs"
    actions   = ["sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"]
    resources = ["${local.arn.sagemaker}:training-job/${local.prefix[each.key]}-*"]
  }

  statement {
    sid       = "RunsOfStateMachines"
    actions   = ["states:DescribeExecution", "states:StopExecution"]
    resources = ["${local.arn.states}:execution:${local.prefix[each.key]}-*"]
  }

  statement {
    sid       = "TheRoleOfTrainingJobs"
    actions   = ["iam:PassRole"]
    resources = ["${local.iam_arn}:role/${local.prefix[each.key]}-training-job"]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["sagemaker.amazonaws.com"]
    }
  }

  # Keys of this account, and only through the services that store the data.
  statement {
    sid       = "KeysThroughServices"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:GenerateMac"]
    resources = ["${local.arn.kms}:key/*"]
  }

  # GuardDuty's scan of landed files, and AWS Backup's copies of the tables.
  statement {
    sid = "ScansAndCopies"
    actions = [
      "backup:CopyIntoBackupVault", "backup:DescribeBackupVault", "dynamodb:DescribeTable", "dynamodb:ListTagsOfResource",
      "dynamodb:StartAwsBackupJob", "events:DeleteRule", "events:DescribeRule", "events:ListTargetsByRule", "events:PutRule",
      "events:PutTargets", "events:RemoveTargets", "s3:GetBucketNotification", "s3:GetObjectTagging", "s3:GetObjectVersion",
      "s3:GetObjectVersionTagging", "s3:PutBucketNotification", "s3:PutObjectTagging", "s3:PutObjectVersionTagging",
    ]
    resources = [
      "arn:${local.partition}:backup:*:*:backup-vault:*",
      "${local.arn.dynamodb}:table/${local.prefix[each.key]}-*",
      "${local.arn.events}:rule/DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3*",
      "arn:${local.partition}:s3:::${local.prefix[each.key]}-landing-*",
    ]
  }

  statement {
    sid       = "GrantsForServices"
    actions   = ["kms:CreateGrant"]
    resources = ["${local.arn.kms}:key/*"]
    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }

  statement {
    sid       = "NeverTheHeads"
    effect    = "Deny"
    actions   = ["s3:DeleteObject*"]
    resources = ["arn:${local.partition}:s3:::${local.prefix[each.key]}-audit-heads-*"]
  }

  statement {
    sid       = "NeverTheState"
    effect    = "Deny"
    actions   = ["s3:*", "kms:*"]
    resources = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*", aws_kms_key.state.arn]
  }
}

resource "aws_iam_policy" "boundary" {
  for_each = var.environments

  name        = "${local.prefix[each.key]}-boundary"
  description = "The most that a role of ${local.prefix[each.key]} can do."
  policy      = data.aws_iam_policy_document.boundary[each.key].json
}
