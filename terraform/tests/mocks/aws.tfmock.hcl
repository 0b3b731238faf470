# Answers of the mocked provider for attributes whose form other resources check; a random word would be refused.

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
}

mock_data "aws_region" {
  defaults = { name = "us-east-1" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000001", key_id = "00000000-0000-0000-0000-000000000001" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:mocked" }
}

mock_resource "aws_security_group" {
  defaults = { id = "sg-00000000000000001" }
}

mock_resource "aws_msk_cluster" {
  defaults = {
    arn                        = "arn:aws:kafka:us-east-1:123456789012:cluster/fraud-test/00000000-0000-0000-0000-000000000001-1"
    bootstrap_brokers_sasl_iam = "b-1.test:9098,b-2.test:9098,b-3.test:9098"
  }
}

mock_resource "aws_msk_serverless_cluster" {
  defaults = {
    arn                        = "arn:aws:kafka:us-east-1:123456789012:cluster/fraud-test/00000000-0000-0000-0000-000000000002-s1"
    bootstrap_brokers_sasl_iam = "boot-test.c1.kafka-serverless.us-east-1.amazonaws.com:9098"
  }
}

mock_resource "aws_msk_configuration" {
  defaults = { arn = "arn:aws:kafka:us-east-1:123456789012:configuration/mocked/00000000-0000-0000-0000-000000000003-1", latest_revision = 1 }
}

mock_resource "aws_elasticache_replication_group" {
  defaults = {
    arn                            = "arn:aws:elasticache:us-east-1:123456789012:replicationgroup:fraud-test-profiles"
    primary_endpoint_address       = "primary.test"
    configuration_endpoint_address = "configuration.test"
  }
}

mock_resource "aws_dynamodb_table" {
  defaults = {
    arn        = "arn:aws:dynamodb:us-east-1:123456789012:table/mocked"
    stream_arn = "arn:aws:dynamodb:us-east-1:123456789012:table/mocked/stream/2026-01-01T00:00:00.000"
  }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:us-east-1:123456789012:mocked" }
}

mock_resource "aws_sqs_queue" {
  defaults = {
    arn = "arn:aws:sqs:us-east-1:123456789012:mocked"
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/mocked"
  }
}

mock_resource "aws_s3_bucket" {
  defaults = { arn = "arn:aws:s3:::mocked" }
}

mock_resource "aws_lambda_function" {
  defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:mocked", version = "1" }
}

mock_resource "aws_lambda_alias" {
  defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:mocked:live" }
}

mock_resource "aws_lambda_invocation" {
  defaults = { result = "{\"topics\": {\"transaction_stream\": {\"created\": true, \"partitions\": 12, \"configs_set\": []}}}" }
}

mock_resource "aws_cloudwatch_metric_alarm" {
  defaults = { arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:mocked" }
}

mock_resource "aws_appconfig_application" {
  defaults = { id = "appl123", arn = "arn:aws:appconfig:us-east-1:123456789012:application/appl123" }
}

mock_resource "aws_appconfig_environment" {
  defaults = { environment_id = "envi123", arn = "arn:aws:appconfig:us-east-1:123456789012:application/appl123/environment/envi123" }
}

mock_resource "aws_appconfig_configuration_profile" {
  defaults = { configuration_profile_id = "prof123", arn = "arn:aws:appconfig:us-east-1:123456789012:application/appl123/configurationprofile/prof123" }
}

mock_resource "aws_appconfig_deployment_strategy" {
  defaults = { id = "strat12" }
}

mock_resource "aws_appconfig_hosted_configuration_version" {
  defaults = { version_number = 1 }
}

mock_resource "aws_cloudwatch_composite_alarm" {
  defaults = { arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:mocked" }
}

mock_resource "aws_sfn_state_machine" {
  defaults = { arn = "arn:aws:states:us-east-1:123456789012:stateMachine:mocked" }
}

mock_resource "aws_cloudwatch_event_rule" {
  defaults = { arn = "arn:aws:events:us-east-1:123456789012:rule/mocked" }
}

mock_resource "aws_api_gateway_rest_api" {
  defaults = {
    id               = "a1b2c3d4e5"
    root_resource_id = "r1r1r1r1r1"
    execution_arn    = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5"
  }
}

mock_resource "aws_vpc_endpoint" {
  defaults = { id = "vpce-00000000000000001" }
}

mock_resource "aws_cognito_user_pool" {
  defaults = { id = "us-east-1_AbCdEfGhI" }
}

mock_resource "aws_cognito_user_pool_client" {
  defaults = { id = "1example23456789" }
}
