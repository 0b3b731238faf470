# The plan role reads settings and no payments, because nobody has approved a pull request yet.

data "aws_iam_policy_document" "read_settings" {
  # checkov:skip=CKV_AWS_356:Describe and list calls of these services cannot be limited to a resource; the statement has no call that reads data.
  statement {
    sid = "ReadSettings"
    actions = [
      "appconfig:Get*", "appconfig:List*",
      "application-autoscaling:Describe*", "application-autoscaling:List*",
      "cloudwatch:Describe*", "cloudwatch:GetDashboard", "cloudwatch:List*",
      "dynamodb:Describe*", "dynamodb:List*",
      "ec2:Describe*", "ec2:GetManagedPrefixListEntries",
      "elasticache:Describe*", "elasticache:List*",
      "events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule",
      "glue:GetConnection", "glue:GetConnections", "glue:GetJob", "glue:GetJobs", "glue:GetSecurityConfiguration",
      "glue:GetTags", "glue:GetTrigger", "glue:GetTriggers",
      "iam:Get*", "iam:List*",
      "kafka:Describe*", "kafka:Get*", "kafka:List*",
      "kms:Describe*", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:List*",
      "lambda:Get*", "lambda:List*",
      "logs:Describe*", "logs:List*",
      "s3:GetAccelerateConfiguration", "s3:GetBucket*", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration",
      "s3:GetReplicationConfiguration", "s3:ListBucket",
      "sns:Get*", "sns:List*",
      "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueues", "sqs:ListQueueTags",
      # The provider has a changed definition checked in the plan.
      "states:DescribeStateMachine", "states:ListStateMachineVersions", "states:ListTagsForResource", "states:ValidateStateMachineDefinition",
      "sts:GetCallerIdentity",
    ]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "plan" {
  for_each = var.environments

  source_policy_documents = [data.aws_iam_policy_document.read_settings.json]

  # Objects that Terraform itself writes: the job's script and its libraries. Landing and quarantine contain payments.
  statement {
    sid       = "ReadWhatTerraformPut"
    actions   = ["s3:GetObject", "s3:GetObjectTagging"]
    resources = ["arn:${data.aws_partition.current.partition}:s3:::${local.prefix[each.key]}-work-*/artifacts/*"]
  }

  statement {
    sid       = "ReadTheState"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.state.arn}/${local.state_key[each.key]}"]
  }

  statement {
    sid       = "DecryptTheState"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.state.arn]
  }

  # Even if more is added above, a pull request cannot read payments and secrets.
  statement {
    sid    = "NeverData"
    effect = "Deny"
    actions = [
      "appconfig:GetConfiguration", "appconfigdata:*",
      "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:GetRecords", "dynamodb:PartiQLSelect", "dynamodb:Query", "dynamodb:Scan",
      "kafka-cluster:*", "logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery",
      "secretsmanager:GetSecretValue", "sqs:ReceiveMessage", "ssm:GetParameter*",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "plan" {
  for_each = var.environments

  name   = "read-settings"
  role   = aws_iam_role.plan[each.key].id
  policy = data.aws_iam_policy_document.plan[each.key].json
}
