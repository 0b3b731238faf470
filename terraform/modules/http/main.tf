# A REST API of API Gateway between browsers and the function of trigger `http`. It sends every request to the function's alias (payload 1.0)
# and waits for the answer. Who may reach it is in access.tf, what is recorded of requests in log.tf (decision 0031).

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  partition  = data.aws_partition.this.partition
  region     = data.aws_region.this.name
  account_id = data.aws_caller_identity.this.account_id

  # The first part of every path. No path of a page begins with these letters: the function removes them from every path that does.
  stage = "v1"

  # The name that resolves from everywhere: for a private API it names the endpoint too, and leads to the endpoint's private addresses.
  host = join("-", concat([aws_api_gateway_rest_api.this.id], local.vpc_endpoint_ids))
  url  = "https://${local.host}.execute-api.${local.region}.${data.aws_partition.this.dns_suffix}/${local.stage}"

  # The root and everything below it.
  resource_ids = { root = aws_api_gateway_rest_api.this.root_resource_id, below = aws_api_gateway_resource.below.id }

  alias_uri = "arn:${local.partition}:apigateway:${local.region}:lambda:path/2015-03-31/functions/${var.function.alias_arn}/invocations"
}

resource "aws_api_gateway_rest_api" "this" {
  name        = var.name
  description = "The console: sends requests of people's browsers to its function." # names no function, which needs this API's address

  endpoint_configuration {
    types            = [var.access.endpoint_type]
    vpc_endpoint_ids = local.is_private ? local.vpc_endpoint_ids : null
  }

  lifecycle {
    create_before_destroy = true # the alerts and the identity provider name its address
  }
}

resource "aws_api_gateway_resource" "below" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_rest_api.this.root_resource_id
  path_part   = "{proxy+}"
}

resource "aws_api_gateway_method" "any" {
  # checkov:skip=CKV_AWS_59:The function signs people in by itself; browsers follow links without a header that an authorizer could read (decision 0031)
  # checkov:skip=CKV2_AWS_53:The function reads forms by itself and refuses what it does not know; a validator would check JSON models (decision 0031)
  for_each = local.resource_ids

  rest_api_id   = aws_api_gateway_rest_api.this.id
  resource_id   = each.value
  http_method   = "ANY"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "function" {
  for_each = aws_api_gateway_method.any

  rest_api_id             = aws_api_gateway_rest_api.this.id
  resource_id             = each.value.resource_id
  http_method             = each.value.http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST" # how API Gateway calls Lambda, whatever the browser's method
  uri                     = local.alias_uri
  timeout_milliseconds    = 29000 # the most; the function itself ends before
}

resource "aws_lambda_permission" "api" {
  statement_id  = "ApiInvokes"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.this.execution_arn}/${local.stage}/*"
  function_name = var.function.function_name
  qualifier     = var.function.alias_name
}

# A stage serves a deployment, a copy of the API as it was then: what changes the API must make a new one, the resource policy too.
resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  description = "All requests to ${var.function.function_name}."
  triggers = {
    content = sha256(jsonencode([local.alias_uri, local.conditions, local.resource_ids]))
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [aws_api_gateway_integration.function, aws_api_gateway_rest_api_policy.this]
}

resource "aws_api_gateway_stage" "this" {
  # checkov:skip=CKV_AWS_73:A trace of API Gateway holds the path of each request, which may name a case; Lambda's own traces do not (decision 0031)
  # checkov:skip=CKV_AWS_120:Every page is made for the person who asks; nothing may be answered from a cache
  # checkov:skip=CKV2_AWS_4:Execution logs hold paths and headers, with the cookies of sessions; the access log says what failed (decision 0031)
  # checkov:skip=CKV2_AWS_29:Only named networks reach the API; a firewall of rules against the internet would cost more than the API (decision 0031)
  # checkov:skip=CKV2_AWS_51:People's browsers have no certificates; they sign in with a second factor (decision 0031)
  rest_api_id           = aws_api_gateway_rest_api.this.id
  deployment_id         = aws_api_gateway_deployment.this.id
  stage_name            = local.stage
  description           = "The console."
  cache_cluster_enabled = false
  xray_tracing_enabled  = false

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = local.log_format
  }

  depends_on = [aws_lambda_permission.api]
}

resource "aws_api_gateway_method_settings" "all" {
  # checkov:skip=CKV_AWS_225:As CKV_AWS_120: every page is made for the person who asks
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"

  settings {
    # Fifty people who press a key each second, and what a page loads with it. More than the function's executions can answer is refused
    # here with 429, which costs nothing, instead of being tried in Lambda.
    throttling_rate_limit  = 50
    throttling_burst_limit = 100
    logging_level          = "OFF" # see the stage
    data_trace_enabled     = false
    metrics_enabled        = false # by method; those of the API are free
    caching_enabled        = false
  }
}
