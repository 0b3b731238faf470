# The Kafka cluster of the topic `transaction_stream`. Clients sign in only with IAM over TLS. Topics are not created here: no machine
# outside the VPC reaches the brokers, so the function topic_admin creates them from inside.

locals {
  zone_count   = 3
  provisioned  = var.capacity_mode == "provisioned"
  broker_count = local.provisioned ? local.zone_count * var.brokers.per_zone : 0

  cluster_arn = coalesce(one(aws_msk_cluster.this[*].arn), one(aws_msk_serverless_cluster.this[*].arn))
  bootstrap_servers = coalesce(
    one(aws_msk_cluster.this[*].bootstrap_brokers_sasl_iam),
    one(aws_msk_serverless_cluster.this[*].bootstrap_brokers_sasl_iam),
  )
}

resource "aws_msk_cluster" "this" {
  count = local.provisioned ? 1 : 0

  cluster_name           = var.name
  kafka_version          = var.kafka_version
  number_of_broker_nodes = local.broker_count
  enhanced_monitoring    = "DEFAULT" # free, and has every metric that the alarms and the dashboard read

  broker_node_group_info {
    instance_type   = var.brokers.instance_type
    client_subnets  = var.subnet_ids
    security_groups = [var.security_group_id]

    storage_info {
      ebs_storage_info {
        volume_size = var.brokers.volume_gib
      }
    }
  }

  configuration_info {
    arn      = aws_msk_configuration.this[0].arn
    revision = aws_msk_configuration.this[0].latest_revision
  }

  client_authentication {
    unauthenticated = false

    sasl {
      iam   = true
      scram = false
    }
  }

  encryption_info {
    encryption_at_rest_kms_key_arn = var.data_key_arn

    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }

  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.brokers[0].name
      }
    }
  }

  lifecycle {
    # Storage autoscaling raises it, and MSK refuses to return to the size at creation.
    ignore_changes = [broker_node_group_info[0].storage_info[0].ebs_storage_info[0].volume_size]
  }
}

resource "aws_msk_serverless_cluster" "this" {
  count = local.provisioned ? 0 : 1

  cluster_name = var.name

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [var.security_group_id]
  }

  client_authentication {
    sasl {
      iam {
        enabled = true
      }
    }
  }
}

resource "aws_cloudwatch_log_group" "brokers" {
  count = local.provisioned ? 1 : 0

  name              = "/aws/msk/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_key_arn
}
