# What browsers reach the console by: who may, what is recorded, what is limited.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "fraud-test-console"
  access             = { endpoint_type = "REGIONAL", allowed_cidrs = ["203.0.113.0/24", "198.51.100.7/32"] }
  vpc                = { id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"] }
  metrics_namespace  = "FraudDetection/test"
  logs_key_arn       = "arn:aws:kms:us-east-1:123456789012:key/logs"
  log_retention_days = 30

  function = {
    function_name = "fraud-test-console"
    alias_name    = "live"
    alias_arn     = "arn:aws:lambda:us-east-1:123456789012:function:fraud-test-console:live"
  }
}

run "a_regional_api_answers_named_networks_alone" {
  command = apply
  module {
    source = "./modules/http"
  }

  assert {
    condition     = aws_api_gateway_rest_api.this.endpoint_configuration[0].types == tolist(["REGIONAL"]) && length(aws_vpc_endpoint.api) == 0
    error_message = "It has a public name, and no endpoint that costs."
  }
  assert {
    condition     = [for s in jsondecode(aws_api_gateway_rest_api_policy.this.policy).Statement : [s.Effect, s.Action, s.Condition]] == [["Allow", "execute-api:Invoke", { IpAddress = { "aws:SourceIp" = ["203.0.113.0/24", "198.51.100.7/32"] } }]]
    error_message = "One statement allows, and only by address: without it everything is refused."
  }
  assert {
    condition     = jsondecode(aws_api_gateway_rest_api_policy.this.policy).Statement[0].Resource == "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/*"
    error_message = "The policy is about this API."
  }
  assert {
    condition     = output.url == "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/v1" && aws_api_gateway_stage.this.stage_name == "v1"
    error_message = "The address has the stage's path."
  }
}

run "a_private_api_is_reached_through_the_endpoint_that_is_given" {
  command = apply
  module {
    source = "./modules/http"
  }
  variables {
    access = { endpoint_type = "PRIVATE", allowed_cidrs = ["10.50.0.0/16"], vpc_endpoint_id = "vpce-0123456789abcdef0" }
  }

  assert {
    condition     = aws_api_gateway_rest_api.this.endpoint_configuration[0].types == tolist(["PRIVATE"]) && aws_api_gateway_rest_api.this.endpoint_configuration[0].vpc_endpoint_ids == toset(["vpce-0123456789abcdef0"])
    error_message = "It has no public address."
  }
  assert {
    condition     = jsondecode(aws_api_gateway_rest_api_policy.this.policy).Statement[0].Condition == { StringEquals = { "aws:SourceVpce" = ["vpce-0123456789abcdef0"] }, IpAddress = { "aws:VpcSourceIp" = ["10.50.0.0/16"] } }
    error_message = "A request must come through the endpoint, and from a named network."
  }
  assert {
    condition     = output.url == "https://a1b2c3d4e5-vpce-0123456789abcdef0.execute-api.us-east-1.amazonaws.com/v1"
    error_message = "The name leads to the endpoint's addresses, from networks without the VPC's private names too."
  }
  assert {
    condition     = length(aws_vpc_endpoint.api) == 0 && length(aws_security_group.api) == 0 && length(aws_vpc_security_group_ingress_rule.browsers) == 0
    error_message = "No second endpoint is made."
  }
}

run "a_private_api_makes_its_endpoint_where_none_is_given" {
  command = apply
  module {
    source = "./modules/http"
  }
  variables {
    access = { endpoint_type = "PRIVATE", allowed_cidrs = ["10.50.0.0/16", "10.60.0.0/16"] }
  }

  assert {
    condition     = aws_vpc_endpoint.api["api"].service_name == "com.amazonaws.us-east-1.execute-api" && toset(aws_vpc_endpoint.api["api"].subnet_ids) == toset(["subnet-1", "subnet-2"]) && !aws_vpc_endpoint.api["api"].private_dns_enabled
    error_message = "The endpoint is in the system's subnets, and takes no other API's name."
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.browsers : join(" ", [rule.cidr_ipv4, rule.from_port, rule.to_port])]) == toset(["10.50.0.0/16 443 443", "10.60.0.0/16 443 443"])
    error_message = "Only the named networks reach the endpoint, by HTTPS."
  }
  assert {
    condition     = [for s in jsondecode(aws_vpc_endpoint.api["api"].policy).Statement : [s.Resource, s.Condition]] == [["arn:aws:execute-api:us-east-1:123456789012:*", { IpAddress = { "aws:VpcSourceIp" = ["10.50.0.0/16", "10.60.0.0/16"] } }]]
    error_message = "The named networks reach APIs through it, and none of another account."
  }
  assert {
    condition     = output.url == "https://a1b2c3d4e5-vpce-00000000000000001.execute-api.us-east-1.amazonaws.com/v1"
    error_message = "The name leads to the endpoint."
  }
}

run "every_request_goes_to_the_functions_alias" {
  command = apply
  module {
    source = "./modules/http"
  }

  assert {
    condition     = toset([for method in aws_api_gateway_method.any : method.http_method]) == toset(["ANY"]) && toset(keys(aws_api_gateway_integration.function)) == toset(["root", "below"])
    error_message = "The root and everything below it."
  }
  assert {
    condition = alltrue([
      for integration in aws_api_gateway_integration.function :
      integration.type == "AWS_PROXY" && integration.integration_http_method == "POST" && integration.uri == "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:fraud-test-console:live/invocations"
    ])
    error_message = "The alias is called, with the whole request."
  }
  assert {
    condition     = aws_lambda_permission.api.principal == "apigateway.amazonaws.com" && aws_lambda_permission.api.qualifier == "live" && aws_lambda_permission.api.source_arn == "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/v1/*"
    error_message = "Only this API's stage may call the function."
  }
}

run "no_path_and_no_query_is_recorded" {
  command = apply
  module {
    source = "./modules/http"
  }

  assert {
    condition     = toset(values(jsondecode(aws_api_gateway_stage.this.access_log_settings[0].format))) == toset(["$context.requestId", "$context.requestTime", "$context.identity.sourceIp", "$context.httpMethod", "$context.status", "$context.error.responseType", "$context.responseLength", "$context.responseLatency", "$context.integrationLatency"])
    error_message = "Neither path nor query, nor who sent people here."
  }
  assert {
    condition     = aws_api_gateway_method_settings.all.settings[0].logging_level == "OFF" && !aws_api_gateway_method_settings.all.settings[0].data_trace_enabled && !aws_api_gateway_stage.this.xray_tracing_enabled
    error_message = "Execution logs and traces hold paths and cookies."
  }
  assert {
    condition     = aws_cloudwatch_log_group.access.name == "/aws/apigateway/fraud-test-console" && aws_cloudwatch_log_group.access.kms_key_id == "arn:aws:kms:us-east-1:123456789012:key/logs" && aws_cloudwatch_log_group.access.retention_in_days == 30
    error_message = "The log is encrypted, and ends."
  }
}

run "floods_are_refused_and_pages_are_never_cached" {
  command = apply
  module {
    source = "./modules/http"
  }

  assert {
    condition     = aws_api_gateway_method_settings.all.method_path == "*/*" && aws_api_gateway_method_settings.all.settings[0].throttling_rate_limit == 50 && aws_api_gateway_method_settings.all.settings[0].throttling_burst_limit == 100
    error_message = "All methods have one limit."
  }
  assert {
    condition     = !aws_api_gateway_stage.this.cache_cluster_enabled && !aws_api_gateway_method_settings.all.settings[0].caching_enabled
    error_message = "A page is for the person who asked."
  }
  assert {
    condition     = output.metric_names == { throttled = "console-throttled", not_answered = "console-not-answered" }
    error_message = "What was refused by the limits, and what was not answered, is counted."
  }
}

run "refuses_another_kind_of_endpoint" {
  command = plan
  module {
    source = "./modules/http"
  }
  variables {
    access = { endpoint_type = "EDGE", allowed_cidrs = ["203.0.113.0/24"] }
  }
  expect_failures = [var.access]
}

run "refuses_to_be_closed_to_everybody" {
  command = plan
  module {
    source = "./modules/http"
  }
  variables {
    access = { endpoint_type = "REGIONAL", allowed_cidrs = [] }
  }
  expect_failures = [var.access]
}

run "refuses_an_address_inside_a_network" {
  command = plan
  module {
    source = "./modules/http"
  }
  variables {
    access = { endpoint_type = "REGIONAL", allowed_cidrs = ["203.0.113.7/24"] }
  }
  expect_failures = [var.access]
}

run "refuses_to_be_open_to_everybody" {
  command = plan
  module {
    source = "./modules/http"
  }
  variables {
    access = { endpoint_type = "REGIONAL", allowed_cidrs = ["0.0.0.0/0"] }
  }
  expect_failures = [var.access]
}

run "refuses_half_of_the_internet" {
  command = plan
  module {
    source = "./modules/http"
  }
  variables {
    access = { endpoint_type = "PRIVATE", allowed_cidrs = ["0.0.0.0/1", "128.0.0.0/1"] }
  }
  expect_failures = [var.access]
}

run "refuses_a_private_network_for_a_regional_api" {
  command = plan
  module {
    source = "./modules/http"
  }
  variables {
    access = { endpoint_type = "REGIONAL", allowed_cidrs = ["172.20.0.0/16"] }
  }
  expect_failures = [var.access]
}

run "refuses_an_endpoint_for_a_regional_api" {
  command = plan
  module {
    source = "./modules/http"
  }
  variables {
    access = { endpoint_type = "REGIONAL", allowed_cidrs = ["203.0.113.0/24"], vpc_endpoint_id = "vpce-0123456789abcdef0" }
  }
  expect_failures = [var.access]
}

run "refuses_a_bad_name" {
  command = plan
  module {
    source = "./modules/http"
  }
  variables {
    name = "Console"
  }
  expect_failures = [var.name]
}
