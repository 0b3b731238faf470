# AWS services that are reached without a way out of the VPC. An interface endpoint costs by hour and zone, so each says who needs it.
# Lambda's event pollers need none: provisioned pollers call Lambda, STS and SQS from Lambda's own network.

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  region = data.aws_region.this.name

  interface_endpoints = {
    appconfigdata = "the score stage reads its ruleset"
    kms           = "the Glue job derives the tokenisation key, and encrypts with a customer key"
    logs          = "the Glue job's workers write their logs"
    monitoring    = "the Glue job's workers write their metrics"
    sqs           = "the score and label stages fill the quarantine queue, the Glue job and the upkeep that of labels"
  }

  gateway_endpoints = toset(["dynamodb", "s3"])

  # Only for principals of this account: nobody can send data out with the credentials of another one.
  endpoint_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ThisAccountOnly"
      Effect    = "Allow"
      Principal = "*"
      Action    = "*"
      Resource  = "*"
      Condition = { StringEquals = { "aws:PrincipalAccount" = data.aws_caller_identity.this.account_id } }
    }]
  })
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.interface_endpoints

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${local.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for zone in slice(var.availability_zones, 0, var.endpoint_zone_count) : aws_subnet.private[zone].id]
  security_group_ids  = [aws_security_group.this["endpoints"].id]
  policy              = local.endpoint_policy

  tags = { Name = "${var.name}-${each.key}", Purpose = each.value }
}

resource "aws_vpc_endpoint" "gateway" {
  for_each = local.gateway_endpoints

  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${local.region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.private.id]
  policy            = local.endpoint_policy

  tags = { Name = "${var.name}-${each.key}" }
}
