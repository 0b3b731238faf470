# The apply role manages the resources of the root module, in this region. It can give no role a right that the boundary lacks.

locals {
  # Services to which the apply role may pass roles.
  passed_services = [
    "application-autoscaling.amazonaws.com", "appconfig.amazonaws.com", "events.amazonaws.com", "glue.amazonaws.com",
    "lambda.amazonaws.com", "sns.amazonaws.com", "states.amazonaws.com", "vpc-flow-logs.amazonaws.com",
  ]
}

data "aws_iam_policy_document" "apply" {
  for_each = var.environments

  statement {
    sid = "ManageTheSystem"
    actions = [
      "appconfig:*", "application-autoscaling:*", "cloudwatch:*", "dynamodb:*", "ec2:*", "elasticache:*", "events:*", "glue:*",
      "kafka:*", "kms:*", "lambda:*", "logs:*", "s3:*", "sns:*", "sqs:*", "states:*",
    ]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [var.region]
    }
  }

  # CI deploys the function that makes tokens of card numbers, and has no business with its answers (decision 0015).
  statement {
    sid       = "NeverAskForTokens"
    effect    = "Deny"
    actions   = ["lambda:InvokeFunction", "lambda:InvokeAsync", "lambda:InvokeFunctionUrl"]
    resources = ["arn:${data.aws_partition.current.partition}:lambda:${var.region}:${var.account_id}:function:${local.prefix[each.key]}-card-token*"]
  }

  statement {
    sid       = "ReadIam"
    actions   = ["iam:Get*", "iam:List*", "sts:GetCallerIdentity"]
    resources = ["*"]
  }

  statement {
    sid = "RolesOnlyUnderTheBoundary"
    actions = [
      "iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary",
      "iam:PutRolePolicy",
    ]
    resources = ["${local.iam_arn}:role/${local.prefix[each.key]}-*"]
    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [aws_iam_policy.boundary[each.key].arn]
    }
  }

  statement {
    sid       = "RolesThatNoBoundaryIsAskedFor"
    actions   = ["iam:DeleteRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription"]
    resources = ["${local.iam_arn}:role/${local.prefix[each.key]}-*"]
  }

  statement {
    sid       = "HandRolesToServices"
    actions   = ["iam:PassRole"]
    resources = ["${local.iam_arn}:role/${local.prefix[each.key]}-*"]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = local.passed_services
    }
  }

  statement {
    sid       = "RolesOfTheServicesThemselves"
    actions   = ["iam:CreateServiceLinkedRole"]
    resources = ["${local.iam_arn}:role/aws-service-role/*"]
    condition {
      test     = "StringEquals"
      variable = "iam:AWSServiceName"
      values = [
        "dynamodb.application-autoscaling.amazonaws.com", "elasticache.amazonaws.com",
        "elasticache.application-autoscaling.amazonaws.com", "kafka.amazonaws.com", "kafka.application-autoscaling.amazonaws.com",
      ]
    }
  }

  # It must not change what limits it: the CI roles, the boundaries, and the states of other environments.
  statement {
    sid       = "NotTheCiRoles"
    effect    = "Deny"
    actions   = ["iam:Add*", "iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*", "iam:Put*", "iam:Remove*", "iam:Set*", "iam:Tag*", "iam:Untag*", "iam:Update*", "iam:PassRole"]
    resources = [for name in ["plan", "apply"] : "${local.iam_arn}:role/${local.prefix[each.key]}-${name}"]
  }

  statement {
    sid           = "OnlyItsOwnState"
    effect        = "Deny"
    actions       = ["s3:*Object*"]
    not_resources = ["${aws_s3_bucket.state.arn}/${local.state_key[each.key]}", "${aws_s3_bucket.state.arn}/${local.state_key[each.key]}.tflock", "arn:${data.aws_partition.current.partition}:s3:::${local.prefix[each.key]}-*"]
  }

  statement {
    sid    = "NotTheStateBucket"
    effect = "Deny"
    actions = [
      "s3:DeleteBucket*", "s3:PutBucket*", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration", "s3:DeleteObjectVersion",
    ]
    resources = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]
  }

  statement {
    sid       = "NotTheStateKey"
    effect    = "Deny"
    actions   = ["kms:CreateGrant", "kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"]
    resources = [aws_kms_key.state.arn]
  }

  statement {
    sid    = "NeverPayments"
    effect = "Deny"
    actions = [
      "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:GetRecords", "dynamodb:PartiQLSelect", "dynamodb:Query", "dynamodb:Scan",
      "secretsmanager:GetSecretValue",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_policy" "apply" {
  for_each = var.environments

  name        = "${local.prefix[each.key]}-apply"
  description = "What ${local.prefix[each.key]}-apply may do."
  policy      = data.aws_iam_policy_document.apply[each.key].json
}

resource "aws_iam_role_policy_attachment" "apply" {
  for_each = var.environments

  role       = aws_iam_role.apply[each.key].name
  policy_arn = aws_iam_policy.apply[each.key].arn
}
