# The ruleset in AppConfig: checked before it is deployed, deployed gradually, rolled back by an alarm.

locals {
  profile_name = "ruleset"
}

resource "aws_appconfig_application" "this" {
  name        = var.name
  description = "The part of the fraud detection that analysts change without a deployment of code."
}

resource "aws_appconfig_environment" "this" {
  application_id = aws_appconfig_application.this.id
  name           = var.environment
  description    = "The functions of ${var.name}."

  monitor {
    alarm_arn      = var.rollback_alarm_arn
    alarm_role_arn = aws_iam_role.rollback.arn
  }
}

resource "aws_appconfig_configuration_profile" "ruleset" {
  application_id = aws_appconfig_application.this.id
  name           = local.profile_name
  description    = "Thresholds, rates, lists and rules."
  location_uri   = "hosted"
  type           = "AWS.Freeform"

  # No schema beside it: AppConfig's reads JSON alone, and what people approve is deployed as they wrote it, byte by byte (decision 0030).
  validator {
    type    = "LAMBDA"
    content = var.validator.alias_arn
  }
}

# AppConfig's invocations have no source for a condition. Anybody else who makes AppConfig call it learns only whether their own
# document is a valid ruleset.
resource "aws_lambda_permission" "validator" {
  # checkov:skip=CKV_AWS_364:AppConfig documents no source ARN or account for validators; with a condition every deployment would be refused (decision 0013)
  statement_id  = "AppConfigValidates"
  action        = "lambda:InvokeFunction"
  principal     = "appconfig.amazonaws.com"
  function_name = var.validator.function_name
  qualifier     = var.validator.alias_name
}

resource "aws_appconfig_hosted_configuration_version" "first" {
  application_id           = aws_appconfig_application.this.id
  configuration_profile_id = aws_appconfig_configuration_profile.ruleset.configuration_profile_id
  description              = "The first ruleset of the system."
  content                  = file(var.ruleset_file)
  content_type             = "application/x-yaml"

  # From then on analysts own the ruleset; an apply must never replace theirs.
  lifecycle {
    ignore_changes = [content, content_type, description]
  }

  depends_on = [aws_lambda_permission.validator]
}

# The first ruleset is deployed at once: until a deployment is complete, AppConfig has nothing for functions that it has not reached.
resource "aws_appconfig_deployment" "first" {
  application_id           = aws_appconfig_application.this.id
  environment_id           = aws_appconfig_environment.this.environment_id
  configuration_profile_id = aws_appconfig_configuration_profile.ruleset.configuration_profile_id
  configuration_version    = aws_appconfig_hosted_configuration_version.first.version_number
  deployment_strategy_id   = aws_appconfig_deployment_strategy.at_once.id
  description              = "The first ruleset of the system."

  lifecycle {
    ignore_changes = [configuration_version, deployment_strategy_id, description]
  }

  depends_on = [aws_iam_role_policy.rollback]
}

resource "aws_appconfig_deployment_strategy" "at_once" {
  name                           = "${var.name}-at-once"
  description                    = "For the first ruleset, for entries of lists, and to withdraw a candidate."
  deployment_duration_in_minutes = 0
  growth_factor                  = 100
  final_bake_time_in_minutes     = 0
  replicate_to                   = "NONE"
}

resource "aws_appconfig_deployment_strategy" "gradual" {
  name                           = "${var.name}-gradual"
  description                    = "A tenth of the pollers first, then twice as many in each step; the alarm is watched until the bake time ends."
  deployment_duration_in_minutes = var.rollout_minutes
  growth_type                    = "EXPONENTIAL"
  growth_factor                  = 10
  final_bake_time_in_minutes     = var.bake_minutes
  replicate_to                   = "NONE"
}

resource "aws_iam_role" "rollback" {
  name                 = "${var.name}-rules-rollback"
  description          = "Allows AppConfig to read the alarm that rolls back a ruleset."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "appconfig.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "rollback" {
  # checkov:skip=CKV_AWS_355:AppConfig lists alarms with this role, and listing cannot be limited to a resource; the role allows nothing else (decision 0013)
  name = "look-at-alarms"
  role = aws_iam_role.rollback.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "LookAtAlarms"
      Effect   = "Allow"
      Action   = ["cloudwatch:DescribeAlarms"]
      Resource = ["*"]
    }]
  })
}
