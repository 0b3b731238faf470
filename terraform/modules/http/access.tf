# Who may reach the API: browsers of the named networks. A private API is reached through an interface endpoint: one that exists in a
# network of the people, or one that is made in the system's own VPC. A regional one has a public name, and refuses every other network.

locals {
  is_private = var.access.endpoint_type == "PRIVATE"

  # The endpoint that is made here, by its name; none where the API is regional, or somebody else's endpoint is given.
  own_endpoints    = local.is_private && var.access.vpc_endpoint_id == null ? toset(["api"]) : toset([])
  vpc_endpoint_ids = local.is_private ? concat(compact([var.access.vpc_endpoint_id]), [for endpoint in values(aws_vpc_endpoint.api) : endpoint.id]) : []

  # All of them must hold.
  conditions = {
    for condition in [
      { test = "StringEquals", key = "aws:SourceVpce", values = local.vpc_endpoint_ids, is_used = local.is_private },
      { test = "IpAddress", key = local.is_private ? "aws:VpcSourceIp" : "aws:SourceIp", values = var.access.allowed_cidrs, is_used = true },
    ] : condition.test => { (condition.key) = condition.values } if condition.is_used
  }
}

# A method without an authorizer is refused unless the policy allows it (API Gateway's guide, "How API Gateway resource policies affect
# authorization workflow"), so there is nothing to deny.
resource "aws_api_gateway_rest_api_policy" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "NamedNetworks"
      Effect    = "Allow"
      Principal = "*"
      Action    = "execute-api:Invoke"
      Resource  = "${aws_api_gateway_rest_api.this.execution_arn}/*"
      Condition = local.conditions
    }]
  })
}

# The VPC has no route from outside: whoever runs the network connects it, for instance by a transit gateway. Without private names: the
# API's own name leads to this endpoint.
resource "aws_vpc_endpoint" "api" {
  for_each = local.own_endpoints

  vpc_id              = var.vpc.id
  service_name        = "com.amazonaws.${local.region}.execute-api"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = false
  subnet_ids          = var.vpc.subnet_ids
  security_group_ids  = [aws_security_group.api[each.key].id]
  # Browsers are no principals. Nobody reaches the APIs of another account through it.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ApisOfThisAccount"
      Effect    = "Allow"
      Principal = "*"
      Action    = "execute-api:Invoke"
      Resource  = "arn:${local.partition}:execute-api:${local.region}:${local.account_id}:*"
      Condition = { IpAddress = { "aws:VpcSourceIp" = var.access.allowed_cidrs } }
    }]
  })

  tags = { Name = var.name, Purpose = "people's browsers open the console" }
}

resource "aws_security_group" "api" {
  for_each = local.own_endpoints

  name        = "${var.name}-endpoint"
  description = "The console's interface endpoint: browsers of the named networks."
  vpc_id      = var.vpc.id

  tags = { Name = "${var.name}-endpoint" }
}

resource "aws_vpc_security_group_ingress_rule" "browsers" {
  for_each = length(local.own_endpoints) > 0 ? toset(var.access.allowed_cidrs) : toset([])

  security_group_id = aws_security_group.api["api"].id
  description       = "browsers"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
