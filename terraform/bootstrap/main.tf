# Who may plan and who may apply: roles for GitHub's workflows, without long-lived keys.
#
#   role                    token of                                        may
#   <project>-<env>-plan    pull requests, pushes to the main branch        read settings and the state; no data, no write
#   <project>-<env>-apply   the main branch's environment.yml, in a job     change what has the prefix; roles only with
#                           of the GitHub environment <env>, which waits    the boundary, and never the boundary itself;
#                           for its approval                                read no payments

data "aws_partition" "current" {}

locals {
  issuer = "token.actions.githubusercontent.com"
  prefix = { for environment in var.environments : environment => "${var.project}-${environment}" }

  partition = data.aws_partition.current.partition
  iam_arn   = "arn:${local.partition}:iam::${var.account_id}"

  # How the ARNs of a service begin, in this region and account.
  arn = {
    for service in [
      "appconfig", "backup", "cloudtrail", "cloudwatch", "cognito-idp", "dynamodb", "ec2", "elasticache", "events", "glue", "guardduty", "kafka", "kms",
      "lambda", "logs", "sagemaker", "sns", "sqs", "states",
    ] : service => "arn:${local.partition}:${service}:${var.region}:${var.account_id}"
  }

  # The ARN of a provider that exists already follows from account and URL.
  oidc_provider_arn = var.create_github_oidc_provider ? aws_iam_openid_connect_provider.github[0].arn : "${local.iam_arn}:oidc-provider/${local.issuer}"

  # Keys of each environment's state in the bucket, as the backend files name them.
  state_key = { for environment in var.environments : environment => "${environment}/terraform.tfstate" }

  # The subject begins with the repository, with or without ids.
  subject_start = "repo:${coalesce(var.github_subject_repository, var.github_repository)}"

  # Plans run for pull requests before the merge, and for the main branch before an apply.
  plan_subjects = [
    "${local.subject_start}:pull_request",
    "${local.subject_start}:ref:refs/heads/${var.main_branch}",
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

# STS makes condition keys of these claims of GitHub's tokens (IAM user guide, "IAM and AWS STS condition context keys"; announced in
# January 2026). A key that a token lacks does not match, so a job without an environment is refused by the apply role.
locals {
  # Claims that every token of the repository has.
  repository_claims = merge(
    { aud = ["sts.amazonaws.com"], repository = [var.github_repository] },
    var.github_repository_id == null ? {} : { repository_id = [var.github_repository_id] },
  )

  plan_claims = merge(local.repository_claims, { sub = local.plan_subjects })

  apply_claims = {
    for environment in var.environments : environment => merge(local.repository_claims, {
      # GitHub puts the environment into a token only for a job that has passed the environment's rules.
      sub              = ["${local.subject_start}:environment:${environment}"]
      environment      = [environment]
      ref              = ["refs/heads/${var.main_branch}"]
      job_workflow_ref = ["${var.github_repository}/${local.apply_workflow}@refs/heads/${var.main_branch}"]
    })
  }

  apply_workflow = ".github/workflows/environment.yml"
}

data "aws_iam_policy_document" "plan_trust" {
  statement {
    sid     = "WorkflowsThatPlan"
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [local.oidc_provider_arn]
    }
    dynamic "condition" {
      for_each = local.plan_claims
      content {
        test     = "StringEquals"
        variable = "${local.issuer}:${condition.key}"
        values   = condition.value
      }
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
    dynamic "condition" {
      for_each = local.apply_claims[each.key]
      content {
        test     = "StringEquals"
        variable = "${local.issuer}:${condition.key}"
        values   = condition.value
      }
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
