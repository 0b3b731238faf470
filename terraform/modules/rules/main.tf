# The ruleset in AppConfig: checked twice before it is deployed, rolled out gradually, taken back by an alarm.

locals {
  profile_name = "ruleset"
}

resource "aws_appconfig_application" "this" {
  name        = var.name
  description = "What analysts change of the fraud detection without a deployment of code."
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

  validator {
    type    = "JSON_SCHEMA"
    content = file(var.schema_file)
  }

  validator {
    type    = "LAMBDA"
    content = var.validator.alias_arn
  }
}

# AppConfig's invocations carry no source to condition on. Whoever else has AppConfig ask learns whether a document of
# their own is a good ruleset.
resource "aws_lambda_permission" "validator" {
  # checkov:skip=CKV_AWS_364:AppConfig documents no source ARN or account for validators; with one every deployment would be refused (decision 0013)
  statement_id  = "AppConfigValidates"
  action        = "lambda:InvokeFunction"
  principal     = "appconfig.amazonaws.com"
  function_name = var.validator.function_name
  qualifier     = var.validator.alias_name
}

# JSON, because AppConfig's schema validator reads no YAML; it is read by the same code as YAML, which it is a part of.
resource "aws_appconfig_hosted_configuration_version" "first" {
  application_id           = aws_appconfig_application.this.id
  configuration_profile_id = aws_appconfig_configuration_profile.ruleset.configuration_profile_id
  description              = "The ruleset that the system starts with."
  content                  = jsonencode(yamldecode(file(var.ruleset_file)))
  content_type             = "application/json"

  # From here on the ruleset is the analysts'; an apply must never take theirs back.
  lifecycle {
    ignore_changes = [content, content_type, description]
  }

  depends_on = [aws_lambda_permission.validator]
}

# The first ruleset goes out at once: until a deployment is complete, AppConfig gives those it has not reached nothing.
resource "aws_appconfig_deployment" "first" {
  application_id           = aws_appconfig_application.this.id
  environment_id           = aws_appconfig_environment.this.environment_id
  configuration_profile_id = aws_appconfig_configuration_profile.ruleset.configuration_profile_id
  configuration_version    = aws_appconfig_hosted_configuration_version.first.version_number
  deployment_strategy_id   = aws_appconfig_deployment_strategy.at_once.id
  description              = "The ruleset that the system starts with."

  lifecycle {
    ignore_changes = [configuration_version, deployment_strategy_id, description]
  }

  depends_on = [aws_iam_role_policy.rollback]
}

resource "aws_appconfig_deployment_strategy" "at_once" {
  name                           = "${var.name}-at-once"
  description                    = "For the first ruleset, and for taking a bad one back by hand."
  deployment_duration_in_minutes = 0
  growth_factor                  = 100
  final_bake_time_in_minutes     = 0
  replicate_to                   = "NONE"
}

resource "aws_appconfig_deployment_strategy" "gradual" {
  name                           = "${var.name}-gradual"
  description                    = "A tenth of the pollers first, then twice as many each step, watched to the end of the bake time."
  deployment_duration_in_minutes = var.rollout_minutes
  growth_type                    = "EXPONENTIAL"
  growth_factor                  = 10
  final_bake_time_in_minutes     = var.bake_minutes
  replicate_to                   = "NONE"
}

resource "aws_iam_role" "rollback" {
  name                 = "${var.name}-rules-rollback"
  description          = "Lets AppConfig look at the alarm that takes a ruleset back."
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
  # checkov:skip=CKV_AWS_355:AppConfig lists alarms with this role, and a list takes no narrower resource; it reads and changes nothing else (decision 0013)
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
