# Who may connect to whom. Every rule names a group or a gateway endpoint's prefix list, never an address range.

locals {
  security_groups = {
    functions     = "Functions in the VPC: they reach AWS's endpoints."
    cache_clients = "Functions that read and write the cache."
    kafka_clients = "Functions that speak to the brokers."
    ingestion     = "Workers of the Glue job."
    training      = "Training jobs: they reach S3 and nothing else."
    brokers       = "Kafka brokers, and the event pollers that Lambda puts beside them."
    cache         = "Nodes of the cache."
    endpoints     = "Interface endpoints of AWS services."
  }

  kafka_iam_port = 9098
  redis_port     = 6379
  https_port     = 443

  # Becomes an egress rule of `from` and an ingress rule of `to`.
  flows = {
    cache_clients_to_cache   = { from = "cache_clients", to = "cache", first_port = local.redis_port, last_port = local.redis_port }
    kafka_clients_to_brokers = { from = "kafka_clients", to = "brokers", first_port = local.kafka_iam_port, last_port = local.kafka_iam_port }
    functions_to_endpoints   = { from = "functions", to = "endpoints", first_port = local.https_port, last_port = local.https_port }
    ingestion_to_brokers     = { from = "ingestion", to = "brokers", first_port = local.kafka_iam_port, last_port = local.kafka_iam_port }
    ingestion_to_endpoints   = { from = "ingestion", to = "endpoints", first_port = local.https_port, last_port = local.https_port }
    # Spark's driver and executors choose their ports; Glue requires all ports within the group.
    ingestion_to_ingestion = { from = "ingestion", to = "ingestion", first_port = 0, last_port = 65535 }
    # Event pollers have the brokers' group.
    brokers_to_brokers = { from = "brokers", to = "brokers", first_port = local.kafka_iam_port, last_port = local.kafka_iam_port }
  }

  # Gateway endpoints are routes, not hosts: traffic to them leaves by prefix list.
  gateway_flows = {
    functions_to_dynamodb = { from = "functions", to = "dynamodb" }
    functions_to_s3       = { from = "functions", to = "s3" }
    ingestion_to_s3       = { from = "ingestion", to = "s3" }
    training_to_s3        = { from = "training", to = "s3" }
  }
}

resource "aws_security_group" "this" {
  # checkov:skip=CKV2_AWS_5: other modules attach them, which checkov does not follow; those modules' tests check it.
  for_each = local.security_groups

  name        = "${var.name}-${each.key}"
  description = each.value
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_security_group_egress_rule" "to_group" {
  for_each = local.flows

  security_group_id            = aws_security_group.this[each.value.from].id
  description                  = replace(each.key, "_", " ")
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.first_port
  to_port                      = each.value.last_port
}

resource "aws_vpc_security_group_ingress_rule" "from_group" {
  # checkov:skip=CKV_AWS_24: all ports are open within the ingestion group only, not to an address; tests/network.tftest.hcl checks it.
  # checkov:skip=CKV_AWS_25: as CKV_AWS_24.
  # checkov:skip=CKV_AWS_260: as CKV_AWS_24.
  for_each = local.flows

  security_group_id            = aws_security_group.this[each.value.to].id
  description                  = replace(each.key, "_", " ")
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.first_port
  to_port                      = each.value.last_port
}

resource "aws_vpc_security_group_egress_rule" "to_gateway" {
  for_each = local.gateway_flows

  security_group_id = aws_security_group.this[each.value.from].id
  description       = replace(each.key, "_", " ")
  prefix_list_id    = aws_vpc_endpoint.gateway[each.value.to].prefix_list_id
  ip_protocol       = "tcp"
  from_port         = local.https_port
  to_port           = local.https_port
}
