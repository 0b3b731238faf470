# The plan role reads settings and no payments, because nobody has approved a pull request yet.

data "aws_iam_policy_document" "read_settings" {
  # checkov:skip=CKV_AWS_356:Describe and list calls of these services cannot be limited to a resource; the statement has no call that reads data.
  statement {
    sid = "ReadSettings"
    actions = [
      "appconfig:Get*", "appconfig:List*",
      "backup:Describe*", "backup:Get*", "backup:List*", "cloudtrail:DescribeTrails", "cloudtrail:Get*", "cloudtrail:ListTags",
      "guardduty:GetMalwareProtectionPlan", "guardduty:ListTagsForResource",
      "budgets:ListTagsForResource", "budgets:ViewBudget",
      "application-autoscaling:Describe*", "application-autoscaling:List*",
      "cloudwatch:Describe*", "cloudwatch:GetDashboard", "cloudwatch:List*",
      "cognito-idp:DescribeUserPool", "cognito-idp:DescribeUserPoolClient", "cognito-idp:DescribeUserPoolDomain", "cognito-idp:GetGroup",
      "cognito-idp:GetUserPoolMfaConfig", "cognito-idp:ListTagsForResource",
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

  # Not keys of APIs.
  statement {
    sid       = "ReadApis"
    actions   = ["apigateway:GET"]
    resources = ["${local.apis_arn}/account", "${local.apis_arn}/restapis/*", "${local.apis_arn}/tags/*"]
  }
}

# The apply role reads the same, and has them from here.
resource "aws_iam_policy" "read_settings" {
  name        = "${var.project}-read-settings"
  description = "Reads the settings of what Terraform manages; no payments."
  policy      = data.aws_iam_policy_document.read_settings.json
}

resource "aws_iam_role_policy_attachment" "plan_reads" {
  for_each = var.environments

  role       = aws_iam_role.plan[each.key].name
  policy_arn = aws_iam_policy.read_settings.arn
}

data "aws_iam_policy_document" "plan" {
  for_each = var.environments

  # Objects that Terraform itself writes: the job's script and its libraries. Landing and quarantine contain payments.
  statement {
    sid       = "ReadWhatTerraformPut"
    actions   = ["s3:GetObject", "s3:GetObjectTagging"]
    resources = ["arn:${local.partition}:s3:::${local.prefix[each.key]}-work-*/artifacts/*"]
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
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }

  # Even if more is added above, a pull request cannot read payments and secrets.
  statement {
    sid    = "NeverData"
    effect = "Deny"
    actions = [
      "appconfig:GetConfiguration", "appconfig:GetLatestConfiguration", "appconfig:StartConfigurationSession",
      "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:GetRecords", "dynamodb:PartiQL*", "dynamodb:Query", "dynamodb:Scan",
      "elasticache:Connect", "kafka-cluster:*", "logs:FilterLogEvents", "logs:GetLogEvents", "logs:GetQueryResults", "logs:StartLiveTail",
      "logs:StartQuery", "logs:Unmask", "secretsmanager:GetSecretValue", "sqs:ReceiveMessage", "ssm:GetParameter*",
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
