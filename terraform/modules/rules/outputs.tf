output "application_id" {
  description = "AppConfig's id of the application."
  value       = aws_appconfig_application.this.id
}

output "environment_id" {
  description = "AppConfig's id of the environment."
  value       = aws_appconfig_environment.this.environment_id
}

output "profile_id" {
  description = "AppConfig's id of the configuration profile."
  value       = aws_appconfig_configuration_profile.ruleset.configuration_profile_id
}

# A constant, not the profile's attribute, to avoid a cycle: functions get it, and the profile names one of them as its validator.
output "profile_name" {
  description = "Name of the configuration profile, for the functions' environment."
  value       = local.profile_name
}

output "configuration_arn" {
  description = "ARN in a function's policy that allows it to read the ruleset."
  value       = "${aws_appconfig_environment.this.arn}/configuration/${aws_appconfig_configuration_profile.ruleset.configuration_profile_id}"
}

output "gradual_strategy_id" {
  description = "Id of the strategy by which an approved ruleset is deployed."
  value       = aws_appconfig_deployment_strategy.gradual.id
}

output "at_once_strategy_id" {
  description = "Id of the strategy that deploys at once: the guardrails withdraw a candidate by it."
  value       = aws_appconfig_deployment_strategy.at_once.id
}

# The application's parts by pattern: the profile and the environment wait for functions, and a function's policy must not wait for them.
output "deployment_arns" {
  description = "ARNs in a function's policy that allow it to deploy a ruleset: the application, everything in it, and the strategies."
  value       = [aws_appconfig_application.this.arn, "${aws_appconfig_application.this.arn}/*", aws_appconfig_deployment_strategy.at_once.arn, aws_appconfig_deployment_strategy.gradual.arn]
}
