# A network without a way out, and rules that name groups only.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "fraud-test"
  availability_zones = ["us-east-1a", "us-east-1b", "us-east-1c"]
  cidr_block         = "10.20.0.0/16"
  logs_key_arn       = "arn:aws:kms:us-east-1:123456789012:key/logs"
  log_retention_days = 30
}

run "three_private_subnets_and_no_way_out" {
  command = plan

  module {
    source = "./modules/network"
  }

  assert {
    condition     = { for zone, subnet in aws_subnet.private : zone => subnet.cidr_block } == { "us-east-1a" = "10.20.0.0/20", "us-east-1b" = "10.20.16.0/20", "us-east-1c" = "10.20.32.0/20" }
    error_message = "Each zone has a sixteenth of the VPC's range."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.private : coalesce(subnet.map_public_ip_on_launch, false) == false])
    error_message = "No subnet assigns public addresses."
  }
}

run "endpoints_are_in_three_zones_for_this_account_only" {
  command = apply

  module {
    source = "./modules/network"
  }

  assert {
    condition     = toset(output.interface_endpoint_services) == toset(["appconfigdata", "kms", "logs", "monitoring", "sqs"])
    error_message = "There is an interface endpoint for each service that something in the VPC calls, and for no other."
  }

  assert {
    condition     = toset([for endpoint in aws_vpc_endpoint.gateway : endpoint.service_name]) == toset(["com.amazonaws.us-east-1.dynamodb", "com.amazonaws.us-east-1.s3"])
    error_message = "DynamoDB and S3 are reached through gateways, which cost nothing."
  }

  assert {
    condition = alltrue([
      for endpoint in concat(values(aws_vpc_endpoint.interface), values(aws_vpc_endpoint.gateway)) :
      jsondecode(endpoint.policy).Statement[0].Condition.StringEquals["aws:PrincipalAccount"] == "123456789012"
    ])
    error_message = "Every endpoint serves this account's principals only."
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled])
    error_message = "SDKs find interface endpoints by the service's own name."
  }
}

run "rules_name_groups_and_never_addresses" {
  command = apply

  module {
    source = "./modules/network"
  }

  assert {
    condition = alltrue([
      for rule in concat(values(aws_vpc_security_group_ingress_rule.from_group), values(aws_vpc_security_group_egress_rule.to_group), values(aws_vpc_security_group_egress_rule.to_gateway)) :
      rule.cidr_ipv4 == null && rule.cidr_ipv6 == null
    ])
    error_message = "No rule names an address range."
  }

  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.from_group) == keys(aws_vpc_security_group_egress_rule.to_group)
    error_message = "Each allowed egress has its ingress on the other side, and there is no other rule."
  }

  assert {
    condition     = toset([for name, rule in aws_vpc_security_group_ingress_rule.from_group : name if endswith(name, "_to_brokers")]) == toset(["brokers_to_brokers", "ingestion_to_brokers", "kafka_clients_to_brokers"])
    error_message = "Brokers are reached by pollers in their subnets, by ingestion and by Kafka clients."
  }

  assert {
    condition     = toset([for name, rule in aws_vpc_security_group_ingress_rule.from_group : name if endswith(name, "_to_cache")]) == toset(["cache_clients_to_cache"])
    error_message = "The cache is reached by its clients only."
  }
}

run "flow_log_is_encrypted_and_kept" {
  command = apply

  module {
    source = "./modules/network"
  }

  variables {
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = aws_cloudwatch_log_group.flow_log.kms_key_id == var.logs_key_arn && aws_cloudwatch_log_group.flow_log.retention_in_days == 30
    error_message = "The flow log has the logs key and a retention."
  }

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_iam_role.flow_log.permissions_boundary == var.permissions_boundary_arn
    error_message = "All traffic is logged, by a role with the boundary."
  }
}

run "one_zone_of_endpoints_costs_a_third" {
  command = apply

  module {
    source = "./modules/network"
  }

  variables {
    endpoint_zone_count = 1
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : length(endpoint.subnet_ids) == 1])
    error_message = "endpoint_zone_count is the number of zones of each interface endpoint."
  }
}

run "refuses_a_name_in_capitals" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    name = "Fraud"
  }

  expect_failures = [var.name]
}

run "refuses_two_zones" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    availability_zones = ["us-east-1a", "us-east-1b"]
  }

  expect_failures = [var.availability_zones]
}

run "refuses_a_zone_named_twice" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    availability_zones = ["us-east-1a", "us-east-1b", "us-east-1b"]
  }

  expect_failures = [var.availability_zones]
}

run "refuses_a_range_that_is_too_small" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    cidr_block = "10.20.0.0/24"
  }

  expect_failures = [var.cidr_block]
}

run "refuses_no_range_at_all" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    cidr_block = "10.20.0.0.0/16"
  }

  expect_failures = [var.cidr_block]
}

run "refuses_four_zones_of_endpoints" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    endpoint_zone_count = 4
  }

  expect_failures = [var.endpoint_zone_count]
}
