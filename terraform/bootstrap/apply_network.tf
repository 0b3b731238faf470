# The apply role: the network, and roles under the boundary.

locals {
  network_creations = [
    "ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateFlowLogs", "ec2:CreateRouteTable",
    "ec2:CreateSecurityGroup", "ec2:CreateSubnet", "ec2:CreateVpc", "ec2:CreateVpcEndpoint",
  ]
}

data "aws_iam_policy_document" "apply_network" {
  for_each = var.environments

  statement {
    sid       = "NewParts"
    actions   = [for action in local.network_creations : action if strcontains(action, ":Create")]
    resources = ["${local.arn.ec2}:*/*"]
    dynamic "condition" {
      for_each = local.tags[each.key]
      content {
        test     = "StringEquals"
        variable = "aws:RequestTag/${condition.key}"
        values   = [condition.value]
      }
    }
    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/Environment"
      values   = [each.key]
    }
  }

  # Tags only while something is created, or the role could claim what others left without a tag.
  statement {
    sid       = "TagsOfNewParts"
    actions   = ["ec2:CreateTags"]
    resources = ["${local.arn.ec2}:*/*"]
    dynamic "condition" {
      for_each = local.tags[each.key]
      content {
        test     = "StringEquals"
        variable = "aws:RequestTag/${condition.key}"
        values   = [condition.value]
      }
    }
    condition {
      test     = "StringEquals"
      variable = "ec2:CreateAction"
      values   = [for action in local.network_creations : trimprefix(action, "ec2:")]
    }
  }

  statement {
    sid = "Parts"
    actions = [
      "ec2:Associate*", "ec2:Authorize*", "ec2:Create*", "ec2:Delete*", "ec2:Disassociate*", "ec2:Modify*", "ec2:Revoke*", "ec2:Update*",
    ]
    resources = ["${local.arn.ec2}:*/*"]
    dynamic "condition" {
      for_each = local.tags[each.key]
      content {
        test     = "StringEquals"
        variable = "aws:ResourceTag/${condition.key}"
        values   = [condition.value]
      }
    }
  }

  # A new VPC has a security group of its own, without tags. Its rules are removed, then it gets them.
  statement {
    sid       = "CloseTheDefaultGroup"
    actions   = ["ec2:RevokeSecurityGroup*"]
    resources = ["${local.arn.ec2}:security-group/*"]
    condition {
      test     = "Null"
      variable = "aws:ResourceTag/Environment"
      values   = ["true"]
    }
  }

  statement {
    sid       = "ClaimTheDefaultGroup"
    actions   = ["ec2:CreateTags"]
    resources = ["${local.arn.ec2}:security-group/*"]
    dynamic "condition" {
      for_each = local.tags[each.key]
      content {
        test     = "StringEquals"
        variable = "aws:RequestTag/${condition.key}"
        values   = [condition.value]
      }
    }
    condition {
      test     = "Null"
      variable = "aws:ResourceTag/Environment"
      values   = ["true"]
    }
  }

  # Glue leaves the interfaces of an ended run behind, and they block a destroy. Glue tags what it creates, and with nothing else; EC2 deletes
  # none that is in use.
  statement {
    sid       = "InterfacesOfEndedRuns"
    actions   = ["ec2:DeleteNetworkInterface"]
    resources = ["${local.arn.ec2}:network-interface/*"]
    condition {
      test     = "StringLike"
      variable = "aws:ResourceTag/aws-glue-service-resource"
      values   = ["*"]
    }
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
        "ops.apigateway.amazonaws.com",
      ]
    }
  }
}
