# Brokers to which clients sign in only with IAM over TLS.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "fraud-test"
  brokers            = { instance_type = "kafka.m7g.large", volume_gib = 100, volume_maximum_gib = 1000 }
  subnet_ids         = ["subnet-a", "subnet-b", "subnet-c"]
  security_group_id  = "sg-brokers"
  data_key_arn       = "arn:aws:kms:us-east-1:123456789012:key/data"
  logs_key_arn       = "arn:aws:kms:us-east-1:123456789012:key/logs"
  log_retention_days = 30
}

run "brokers_are_in_three_zones" {
  command = apply

  module {
    source = "./modules/streaming"
  }

  assert {
    condition     = aws_msk_cluster.this[0].cluster_name == "fraud-test" && aws_msk_cluster.this[0].number_of_broker_nodes == 3
    error_message = "There is a broker in each zone."
  }

  assert {
    condition     = output.broker_count == 3 && output.replication_factor == 3
    error_message = "A topic has a replica in each zone."
  }

  assert {
    condition     = aws_msk_cluster.this[0].broker_node_group_info[0].client_subnets == toset(["subnet-a", "subnet-b", "subnet-c"]) && aws_msk_cluster.this[0].broker_node_group_info[0].security_groups == toset(["sg-brokers"])
    error_message = "Brokers are in the private subnets, in their own group."
  }

  assert {
    condition     = aws_msk_cluster.this[0].enhanced_monitoring == "DEFAULT"
    error_message = "Metrics of the default level are free, and no alarm reads others."
  }
}

run "iam_over_tls_is_the_only_way_in" {
  command = apply

  module {
    source = "./modules/streaming"
  }

  assert {
    condition     = aws_msk_cluster.this[0].client_authentication[0].sasl[0].iam && !aws_msk_cluster.this[0].client_authentication[0].sasl[0].scram && !aws_msk_cluster.this[0].client_authentication[0].unauthenticated && length(aws_msk_cluster.this[0].client_authentication[0].tls) == 0
    error_message = "Clients sign in with IAM."
  }

  assert {
    condition     = aws_msk_cluster.this[0].encryption_info[0].encryption_in_transit[0].client_broker == "TLS" && aws_msk_cluster.this[0].encryption_info[0].encryption_in_transit[0].in_cluster
    error_message = "All traffic is encrypted."
  }

  assert {
    condition     = aws_msk_cluster.this[0].encryption_info[0].encryption_at_rest_kms_key_arn == var.data_key_arn
    error_message = "Disks have the customer key."
  }

  assert {
    condition     = output.bootstrap_servers == "b-1.test:9098,b-2.test:9098,b-3.test:9098"
    error_message = "Clients get the port that requires IAM."
  }
}

run "brokers_log_to_an_encrypted_group" {
  command = apply

  module {
    source = "./modules/streaming"
  }

  assert {
    condition     = aws_msk_cluster.this[0].logging_info[0].broker_logs[0].cloudwatch_logs[0].enabled && aws_msk_cluster.this[0].logging_info[0].broker_logs[0].cloudwatch_logs[0].log_group == "/aws/msk/fraud-test"
    error_message = "Brokers write their logs to CloudWatch."
  }

  assert {
    condition     = aws_cloudwatch_log_group.brokers[0].kms_key_id == var.logs_key_arn && aws_cloudwatch_log_group.brokers[0].retention_in_days == 30
    error_message = "The group has the logs key and a retention."
  }
}

run "a_misspelt_topic_is_an_error_and_a_lost_zone_is_not" {
  command = apply

  module {
    source = "./modules/streaming"
  }

  assert {
    condition     = alltrue([for line in ["auto.create.topics.enable=false", "default.replication.factor=3", "min.insync.replicas=2", "unclean.leader.election.enable=false"] : contains(split("\n", aws_msk_configuration.this[0].server_properties), line)])
    error_message = "Topics are not created by mistake, and an acknowledged record survives the loss of a zone."
  }
}

run "a_configurations_name_follows_its_content" {
  command = apply

  module {
    source = "./modules/streaming"
  }

  assert {
    condition     = aws_msk_configuration.this[0].name == "fraud-test-${substr(sha256("3.9.x.kraft\n${aws_msk_configuration.this[0].server_properties}"), 0, 8)}"
    error_message = "The name has a hash of version and content, so that the next one can be created before the old one is deleted."
  }
}

run "an_upgrade_creates_another_configuration" {
  command = apply

  module {
    source = "./modules/streaming"
  }

  variables {
    kafka_version = "4.0.x.kraft"
  }

  assert {
    condition     = aws_msk_configuration.this[0].name == "fraud-test-${substr(sha256("4.0.x.kraft\n${aws_msk_configuration.this[0].server_properties}"), 0, 8)}"
    error_message = "Another version of Kafka has its own configuration."
  }

  assert {
    condition     = aws_msk_configuration.this[0].kafka_versions == toset(["4.0.x.kraft"]) && aws_msk_cluster.this[0].kafka_version == "4.0.x.kraft"
    error_message = "Cluster and configuration are of one version."
  }
}

run "disks_grow_and_never_shrink" {
  command = apply

  module {
    source = "./modules/streaming"
  }

  assert {
    condition     = aws_appautoscaling_target.storage[0].min_capacity == 1 && aws_appautoscaling_target.storage[0].max_capacity == 1000 && aws_appautoscaling_target.storage[0].resource_id == output.cluster_arn
    error_message = "Disks grow up to the maximum."
  }

  assert {
    condition     = aws_appautoscaling_policy.storage[0].target_tracking_scaling_policy_configuration[0].disable_scale_in && aws_appautoscaling_policy.storage[0].target_tracking_scaling_policy_configuration[0].target_value == 60
    error_message = "They grow at 60 % use, and only grow."
  }
}

run "serverless_by_one_variable" {
  command = apply

  module {
    source = "./modules/streaming"
  }

  variables {
    capacity_mode = "serverless"
  }

  assert {
    condition     = length(aws_msk_cluster.this) + length(aws_msk_configuration.this) + length(aws_appautoscaling_target.storage) + length(aws_cloudwatch_log_group.brokers) == 0
    error_message = "There are no resources of provisioned brokers."
  }

  assert {
    condition     = aws_msk_serverless_cluster.this[0].client_authentication[0].sasl[0].iam[0].enabled && aws_msk_serverless_cluster.this[0].vpc_config[0].security_group_ids == toset(["sg-brokers"])
    error_message = "Clients sign in with IAM, as before."
  }

  assert {
    condition     = output.broker_count == 0 && output.bootstrap_servers == "boot-test.c1.kafka-serverless.us-east-1.amazonaws.com:9098"
    error_message = "Clients get the serverless endpoint."
  }

  assert {
    condition     = output.topic_arn_prefix == "arn:aws:kafka:us-east-1:123456789012:topic/fraud-test/00000000-0000-0000-0000-000000000002-s1/"
    error_message = "Policies name topics of this cluster."
  }
}

run "refuses_a_name_in_capitals" {
  command = plan

  module {
    source = "./modules/streaming"
  }

  variables {
    name = "Fraud"
  }

  expect_failures = [var.name]
}

run "refuses_an_unknown_capacity_mode" {
  command = plan

  module {
    source = "./modules/streaming"
  }

  variables {
    capacity_mode = "express"
  }

  expect_failures = [var.capacity_mode]
}

run "refuses_a_version_that_is_not_msks_name" {
  command = plan

  module {
    source = "./modules/streaming"
  }

  variables {
    kafka_version = "latest"
  }

  expect_failures = [var.kafka_version]
}

run "refuses_a_size_without_its_prefix" {
  command = plan

  module {
    source = "./modules/streaming"
  }

  variables {
    brokers = { instance_type = "m7g.large", per_zone = 1, volume_gib = 100, volume_maximum_gib = 1000 }
  }

  expect_failures = [var.brokers]
}

run "refuses_more_brokers_than_msk_allows" {
  command = plan

  module {
    source = "./modules/streaming"
  }

  variables {
    brokers = { instance_type = "kafka.m7g.large", per_zone = 11, volume_gib = 100, volume_maximum_gib = 1000 }
  }

  expect_failures = [var.brokers]
}

run "refuses_a_larger_disk_than_msk_allows" {
  command = plan

  module {
    source = "./modules/streaming"
  }

  variables {
    brokers = { instance_type = "kafka.m7g.large", per_zone = 1, volume_gib = 16385, volume_maximum_gib = 16385 }
  }

  expect_failures = [var.brokers]
}

run "refuses_a_maximum_below_the_disk" {
  command = plan

  module {
    source = "./modules/streaming"
  }

  variables {
    brokers = { instance_type = "kafka.m7g.large", per_zone = 1, volume_gib = 100, volume_maximum_gib = 99 }
  }

  expect_failures = [var.brokers]
}

run "refuses_two_subnets" {
  command = plan

  module {
    source = "./modules/streaming"
  }

  variables {
    subnet_ids = ["subnet-a", "subnet-b"]
  }

  expect_failures = [var.subnet_ids]
}
