# Who may plan and who may apply: roles for GitHub's workflows, without long-lived keys.
#
#   role                    token of                                        may
#   <project>-<env>-plan    pull requests, pushes to the main branch        read settings and the state; no data, no write
#   <project>-<env>-apply   a job of the GitHub environment <env> only,     change what has the prefix; roles only with
#                           which waits for its approval                    the boundary, and never the boundary itself

data "aws_partition" "current" {}

locals {
  issuer = "token.actions.githubusercontent.com"
  prefix = { for environment in var.environments : environment => "${var.project}-${environment}" }

  iam_arn = "arn:${data.aws_partition.current.partition}:iam::${var.account_id}"

  # The ARN of a provider that exists already follows from account and URL.
  oidc_provider_arn = var.create_github_oidc_provider ? aws_iam_openid_connect_provider.github[0].arn : "${local.iam_arn}:oidc-provider/${local.issuer}"

  # Keys of each environment's state in the bucket, as the backend files name them.
  state_key = { for environment in var.environments : environment => "${environment}/terraform.tfstate" }

  # Plans run for pull requests before the merge, and for the main branch before an apply.
  plan_subjects = [
    "repo:${var.github_repository}:pull_request",
    "repo:${var.github_repository}:ref:refs/heads/${var.main_branch}",
  ]
}

# An account has at most one provider of a URL (IAM API reference, CreateOpenIDConnectProvider). `make doctor` says if there is one already.
resource "aws_iam_openid_connect_provider" "github" {
  count = var.create_github_oidc_provider ? 1 : 0

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

moved {
  from = aws_iam_openid_connect_provider.github
  to   = aws_iam_openid_connect_provider.github[0]
}

data "aws_iam_policy_document" "plan_trust" {
  statement {
    sid     = "WorkflowsThatPlan"
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [local.oidc_provider_arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = local.plan_subjects
    }
  }
}

data "aws_iam_policy_document" "apply_trust" {
  for_each = var.environments

  statement {
    sid     = "JobsOfTheEnvironment"
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [local.oidc_provider_arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
    # GitHub puts the environment into the token's subject only for a job that has passed the environment's rules.
    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = ["repo:${var.github_repository}:environment:${each.key}"]
    }
  }
}

resource "aws_iam_role" "plan" {
  for_each = var.environments

  name                 = "${local.prefix[each.key]}-plan"
  description          = "Plans ${each.key} from GitHub; reads settings and the state."
  assume_role_policy   = data.aws_iam_policy_document.plan_trust.json
  max_session_duration = 3600
  tags                 = { Environment = each.key }
}

resource "aws_iam_role" "apply" {
  for_each = var.environments

  name               = "${local.prefix[each.key]}-apply"
  description        = "Applies ${each.key} from GitHub, after the environment's approval."
  assume_role_policy = data.aws_iam_policy_document.apply_trust[each.key].json
  # MSK needs up to 40 minutes to create a cluster and up to 2 hours to upgrade it.
  max_session_duration = 10800
  tags                 = { Environment = each.key }
}
