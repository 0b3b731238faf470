# The apply role: the console's API, and where people sign in to it. ARNs of APIs and user pools have ids and no names, so the rights are limited
# by tags. What belongs to an API has the API's tags (API Gateway's guide, "API Gateway resources that can be tagged"). No right here lets the
# role say who may sign in.

locals {
  # IAM knows the calls of API Gateway by their HTTP method and path, without an account.
  apis_arn = "arn:${local.partition}:apigateway:${var.region}::"
}

data "aws_iam_policy_document" "apply_console" {
  for_each = var.environments

  statement {
    sid       = "NewApis"
    actions   = ["apigateway:POST", "apigateway:UpdateRestApiPolicy"]
    resources = ["${local.apis_arn}/restapis"]
    dynamic "condition" {
      for_each = local.tags[each.key]
      content {
        test     = "StringEquals"
        variable = "aws:RequestTag/${condition.key}"
        values   = [condition.value]
      }
    }
  }

  statement {
    sid       = "NewPools"
    actions   = ["cognito-idp:CreateUserPool"]
    resources = ["*"]
    dynamic "condition" {
      for_each = local.tags[each.key]
      content {
        test     = "StringEquals"
        variable = "aws:RequestTag/${condition.key}"
        values   = [condition.value]
      }
    }
  }

  statement {
    sid       = "Apis"
    actions   = ["apigateway:DELETE", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT", "apigateway:UpdateRestApiPolicy"]
    resources = ["${local.apis_arn}/restapis/*", "${local.apis_arn}/tags/*"]
    dynamic "condition" {
      for_each = local.tags[each.key]
      content {
        test     = "StringEquals"
        variable = "aws:ResourceTag/${condition.key}"
        values   = [condition.value]
      }
    }
  }

  statement {
    sid = "Pools"
    actions = [
      "cognito-idp:CreateGroup", "cognito-idp:CreateUserPoolClient", "cognito-idp:CreateUserPoolDomain", "cognito-idp:DeleteGroup",
      "cognito-idp:DeleteUserPool", "cognito-idp:DeleteUserPoolClient", "cognito-idp:DeleteUserPoolDomain",
      "cognito-idp:SetUserPoolMfaConfig", "cognito-idp:TagResource", "cognito-idp:UntagResource", "cognito-idp:UpdateGroup",
      "cognito-idp:UpdateUserPool", "cognito-idp:UpdateUserPoolClient",
    ]
    resources = ["${local.arn["cognito-idp"]}:userpool/*"]
    dynamic "condition" {
      for_each = local.tags[each.key]
      content {
        test     = "StringEquals"
        variable = "aws:ResourceTag/${condition.key}"
        values   = [condition.value]
      }
    }
  }

  # API Gateway returns the function's answer to whoever calls the API, so it may call no other function.
  statement {
    sid       = "CallerOfTheConsole"
    actions   = ["lambda:AddPermission"]
    resources = ["${local.arn.lambda}:function:${local.prefix[each.key]}-console*"]
    condition {
      test     = "StringEquals"
      variable = "lambda:Principal"
      values   = ["apigateway.amazonaws.com"]
    }
  }

  statement {
    sid       = "CountsOfTheAccessLog"
    actions   = ["logs:DeleteMetricFilter", "logs:PutMetricFilter"]
    resources = ["${local.arn.logs}:log-group:/aws/apigateway/${local.prefix[each.key]}-*"]
  }
}
