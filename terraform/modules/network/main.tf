# A network without a way out: private subnets in three zones, no internet gateway, no NAT. AWS services
# are reached through endpoints (endpoints.tf), and one table says who may connect to whom (security_groups.tf).

resource "aws_vpc" "this" {
  cidr_block           = var.cidr_block
  enable_dns_support   = true
  enable_dns_hostnames = true # the endpoints' private names need it

  tags = { Name = var.name }
}

resource "aws_subnet" "private" {
  for_each = { for index, zone in var.availability_zones : zone => cidrsubnet(var.cidr_block, 4, index) }

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value

  tags = { Name = "${var.name}-private-${each.key}" }
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-private" }
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private.id
}

# The security group that AWS creates with the VPC: without rules, so that nothing in it by mistake can connect.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-default-closed" }
}
