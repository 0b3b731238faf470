# The ruleset in AppConfig: checked, deployed gradually, rolled back by an alarm, and owned by analysts after the first one.

mock_provider "aws" {
  source = "./tests/mocks"

  mock_resource "aws_appconfig_application" {
    defaults = { id = "app1234" }
  }

  mock_resource "aws_appconfig_environment" {
    defaults = { arn = "arn:aws:appconfig:us-east-1:123456789012:application/app1234/environment/env1234", environment_id = "env1234" }
  }

  mock_resource "aws_appconfig_configuration_profile" {
    defaults = { configuration_profile_id = "pro1234" }
  }

  mock_resource "aws_appconfig_deployment_strategy" {
    defaults = { id = "str1234" }
  }
}

variables {
  name               = "fraud-test"
  environment        = "test"
  ruleset_file       = "../rules/default.yaml"
  rollback_alarm_arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:fraud-test-ruleset-rollback"
  validator = {
    function_name = "fraud-test-rules-validator"
    alias_name    = "live"
    alias_arn     = "arn:aws:lambda:us-east-1:123456789012:function:fraud-test-rules-validator:live"
  }
}

run "ruleset_is_checked_before_it_is_deployed" {
  command = apply

  module {
    source = "./modules/rules"
  }

  assert {
    condition     = { for validator in aws_appconfig_configuration_profile.ruleset.validator : validator.type => validator.content } == { LAMBDA = var.validator.alias_arn }
    error_message = "The function checks it, and nothing that would need another form of it."
  }

  assert {
    condition     = aws_lambda_permission.validator.principal == "appconfig.amazonaws.com" && aws_lambda_permission.validator.qualifier == "live" && aws_lambda_permission.validator.function_name == var.validator.function_name
    error_message = "AppConfig may invoke the validator's alias."
  }
}

run "first_ruleset_is_the_repositorys_own" {
  command = apply

  module {
    source = "./modules/rules"
  }

  assert {
    condition     = aws_appconfig_hosted_configuration_version.first.content == file("../rules/default.yaml") && aws_appconfig_hosted_configuration_version.first.content_type == "application/x-yaml"
    error_message = "The first version is rules/default.yaml, byte by byte."
  }

  assert {
    condition     = aws_appconfig_deployment.first.deployment_strategy_id == aws_appconfig_deployment_strategy.at_once.id && aws_appconfig_deployment_strategy.at_once.deployment_duration_in_minutes == 0 && aws_appconfig_deployment_strategy.at_once.final_bake_time_in_minutes == 0
    error_message = "The first ruleset is active at once: there is none before it."
  }
}

run "later_rulesets_are_deployed_gradually_and_rolled_back_by_an_alarm" {
  command = apply

  module {
    source = "./modules/rules"
  }

  assert {
    condition     = aws_appconfig_deployment_strategy.gradual.deployment_duration_in_minutes == 20 && aws_appconfig_deployment_strategy.gradual.growth_factor == 10 && aws_appconfig_deployment_strategy.gradual.growth_type == "EXPONENTIAL" && aws_appconfig_deployment_strategy.gradual.final_bake_time_in_minutes == 30
    error_message = "A tenth first, then twice as many, watched for half an hour after."
  }

  assert {
    condition     = one(aws_appconfig_environment.this.monitor).alarm_arn == var.rollback_alarm_arn && one(aws_appconfig_environment.this.monitor).alarm_role_arn == aws_iam_role.rollback.arn
    error_message = "The environment watches the rollback alarm."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.rollback.policy).Statement[*].Action == [["cloudwatch:DescribeAlarms"]]
    error_message = "AppConfig may read alarms and do nothing else."
  }
}

run "functions_get_names_of_the_configuration" {
  command = apply

  module {
    source = "./modules/rules"
  }

  assert {
    condition     = output.profile_name == aws_appconfig_configuration_profile.ruleset.name
    error_message = "The name that functions get is the profile's."
  }

  assert {
    condition     = output.configuration_arn == "arn:aws:appconfig:us-east-1:123456789012:application/app1234/environment/env1234/configuration/pro1234"
    error_message = "Policies name the one configuration."
  }
}

run "refuses_a_rollout_of_part_of_a_minute" {
  command = plan

  module {
    source = "./modules/rules"
  }

  variables {
    rollout_minutes = 0.5
  }

  expect_failures = [var.rollout_minutes]
}

run "refuses_a_bake_of_more_than_a_day" {
  command = plan

  module {
    source = "./modules/rules"
  }

  variables {
    bake_minutes = 1441
  }

  expect_failures = [var.bake_minutes]
}
