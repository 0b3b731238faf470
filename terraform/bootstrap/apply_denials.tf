# What the apply role never does, whatever its other policies allow: read payments in any form, open them to others, or change what
# limits it. It may make snapshots of the cache: ElastiCache asks for that when the cache is deleted and leaves a last one. A snapshot stays
# in ElastiCache; copying it to a bucket is denied, and so is signing in to a cache that is made of it.

data "aws_iam_policy_document" "apply_denials" {
  for_each = var.environments

  statement {
    sid    = "NeverPayments"
    effect = "Deny"
    actions = [
      "appconfig:GetLatestConfiguration", "appconfig:StartConfigurationSession",
      "dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:CreateBackup", "dynamodb:ExportTableToPointInTime",
      "dynamodb:GetItem", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:PartiQL*", "dynamodb:Query",
      "dynamodb:RestoreTable*", "dynamodb:Scan", "dynamodb:StartAwsBackupJob",
      "elasticache:Connect", "elasticache:CopyS*", "elasticache:CreateServerlessCacheSnapshot", "elasticache:ExportServerlessCacheSnapshot",
      "kafka-cluster:*", "kms:GenerateMac", "kms:VerifyMac",
      "logs:CreateExportTask", "logs:FilterLogEvents", "logs:GetLogEvents", "logs:GetLogRecord", "logs:GetQueryResults", "logs:StartLiveTail", "logs:StartQuery", "logs:Unmask",
      "secretsmanager:GetSecretValue", "sqs:ReceiveMessage", "sqs:StartMessageMoveTask", "ssm:GetParameter*",
    ]
    resources = ["*"]
  }

  # CI deploys the function that makes tokens of card numbers, and has no business with its answers, nor with the roles of people and
  # producers, whose trust it sets (decision 0015).
  statement {
    sid       = "NeverAskForTokens"
    effect    = "Deny"
    actions   = ["lambda:InvokeAsync", "lambda:InvokeFunction", "lambda:InvokeFunctionUrl", "sts:AssumeRole"]
    resources = ["${local.arn.lambda}:function:${local.prefix[each.key]}-card-token*", "${local.iam_arn}:role/*"]
  }

  # Who may sign in to the console is not CI's to say.
  statement {
    sid       = "NeverPeople"
    effect    = "Deny"
    actions   = ["cognito-idp:Admin*", "cognito-idp:CreateUserImportJob", "cognito-idp:ListUsers*"]
    resources = ["*"]
  }

  # Objects of landing, quarantine, checkpoints and exports, and of other states. Deleting is left, or a bucket could not be destroyed.
  statement {
    sid           = "OnlyItsOwnObjects"
    effect        = "Deny"
    actions       = ["s3:GetObject*", "s3:PutObject*", "s3:RestoreObject"]
    not_resources = ["${aws_s3_bucket.state.arn}/${local.state_key[each.key]}", "${aws_s3_bucket.state.arn}/${local.state_key[each.key]}.tflock", "arn:${local.partition}:s3:::${local.prefix[each.key]}-work-*/artifacts/*"]
  }

  statement {
    sid    = "NeverOpenThem"
    effect = "Deny"
    actions = [
      "dynamodb:CreateGlobalTable", "dynamodb:CreateTableReplica", "dynamodb:EnableKinesisStreamingDestination", "dynamodb:PutResourcePolicy",
      "ec2:AcceptVpc*", "ec2:CreateCustomerGateway", "ec2:CreateInternetGateway", "ec2:CreateNatGateway", "ec2:CreateTransitGateway*",
      "ec2:CreateVpcPeeringConnection", "ec2:CreateVpnConnection", "ec2:ModifyVpcPeeringConnectionOptions",
      "elasticache:CreateGlobalReplicationGroup", "glue:PutResourcePolicy", "kafka:CreateReplicator", "kafka:CreateVpcConnection", "kafka:PutClusterPolicy",
      "lambda:AddLayerVersionPermission", "lambda:CreateFunctionUrlConfig", "logs:PutDestination*", "logs:PutSubscriptionFilter",
      "s3:CreateAccessPoint*", "s3:PutAccessPoint*", "s3:PutBucketAcl", "s3:PutBucketWebsite", "s3:PutReplicationConfiguration",
      "sns:AddPermission", "sqs:AddPermission",
    ]
    resources = ["*"]
  }

  # It must not change what limits it: the CI roles and the boundaries.
  statement {
    sid       = "NotTheCiRoles"
    effect    = "Deny"
    actions   = ["iam:Add*", "iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*", "iam:PassRole", "iam:Put*", "iam:Remove*", "iam:Set*", "iam:Tag*", "iam:Untag*", "iam:Update*"]
    resources = [for name in ["plan", "apply"] : "${local.iam_arn}:role/${local.prefix[each.key]}-${name}"]
  }

  statement {
    sid       = "NotTheStateBucket"
    effect    = "Deny"
    actions   = ["s3:DeleteBucket*", "s3:DeleteObjectVersion", "s3:PutBucket*", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration"]
    resources = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]
  }

  statement {
    sid       = "NotTheStateKey"
    effect    = "Deny"
    actions   = ["kms:CreateGrant", "kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"]
    resources = [aws_kms_key.state.arn]
  }
}
