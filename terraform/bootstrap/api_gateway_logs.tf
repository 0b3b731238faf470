# The role with which API Gateway writes the access logs of consoles. An account has one setting for all of its APIs in a region, so it is
# an administrator's, and off by default: it would replace the role that somebody else has set.

resource "aws_iam_role" "api_gateway_logs" {
  count = var.enable_api_gateway_logs ? 1 : 0

  name        = "${var.project}-api-gateway-logs"
  description = "API Gateway writes access logs of the account's APIs in ${var.region}."
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ApiGatewayWrites"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "apigateway.amazonaws.com" }
    }]
  })
}

# AWS's own policy: API Gateway checks the role when it is set, and no list of what it checks is published.
resource "aws_iam_role_policy_attachment" "api_gateway_logs" {
  count = var.enable_api_gateway_logs ? 1 : 0

  role       = aws_iam_role.api_gateway_logs[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

resource "aws_api_gateway_account" "this" {
  count = var.enable_api_gateway_logs ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.api_gateway_logs[0].arn

  depends_on = [aws_iam_role_policy_attachment.api_gateway_logs]
}
