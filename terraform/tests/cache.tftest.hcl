# A cache that survives the loss of a zone, needs IAM for every access, and evicts only what can be rebuilt.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                  = "fraud-test"
  access_file           = "../functions/cache/access.yaml"
  node_type             = "cache.r7g.large"
  replicas              = { minimum = 2, maximum = 2 }
  subnet_ids            = ["subnet-a", "subnet-b", "subnet-c"]
  security_group_id     = "sg-cache"
  data_key_arn          = "arn:aws:kms:us-east-1:123456789012:key/data"
  logs_key_arn          = "arn:aws:kms:us-east-1:123456789012:key/logs"
  log_retention_days    = 30
  enable_final_snapshot = false
}

run "a_group_over_several_zones_with_failover" {
  command = apply

  module {
    source = "./modules/cache"
  }

  assert {
    condition     = aws_elasticache_replication_group.this.multi_az_enabled && aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.num_cache_clusters == 3
    error_message = "A replica takes over in another zone."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.engine == "valkey" && aws_elasticache_replication_group.this.cluster_mode == "disabled"
    error_message = "Valkey, one primary that clients write to."
  }

  assert {
    condition     = join(" ", output.node_ids) == "fraud-test-profiles-001 fraud-test-profiles-002 fraud-test-profiles-003"
    error_message = "Alarms watch each node."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.snapshot_retention_limit == 7 && aws_elasticache_replication_group.this.final_snapshot_identifier == null
    error_message = "Snapshots are kept a week; no last snapshot unless requested."
  }

  assert {
    condition     = aws_elasticache_subnet_group.this.subnet_ids == toset(["subnet-a", "subnet-b", "subnet-c"]) && aws_elasticache_replication_group.this.security_group_ids == toset(["sg-cache"])
    error_message = "Nodes are in the private subnets, in their own group."
  }
}

run "encrypted_at_rest_and_in_transit" {
  command = apply

  module {
    source = "./modules/cache"
  }

  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.transit_encryption_mode == "required"
    error_message = "Clients must use TLS."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.at_rest_encryption_enabled == "true" && aws_elasticache_replication_group.this.kms_key_id == var.data_key_arn
    error_message = "Disks and snapshots have the customer key."
  }
}

run "one_user_with_iam_and_no_password" {
  command = apply

  module {
    source = "./modules/cache"
  }

  assert {
    condition     = aws_elasticache_user.profiles.authentication_mode[0].type == "iam" && aws_elasticache_user.profiles.user_id == aws_elasticache_user.profiles.user_name
    error_message = "The user signs in with an IAM token, which requires name and id to be equal."
  }

  assert {
    condition     = aws_elasticache_user_group.this.user_ids == toset(["fraud-test-profiles"]) && aws_elasticache_replication_group.this.auth_token == null
    error_message = "There is no other user and no token."
  }

  assert {
    condition     = aws_elasticache_user.profiles.access_string == "on ~profile:* ~progress:* ~entity:* ~entities:* ~risk:* ~verdicts:* resetchannels -@all +@connection +get +mget +getrange +exists +set +del +eval +evalsha +script|load"
    error_message = "The user sees profiles, entities, their marks and what labels say, and runs what the stages run."
  }

  assert {
    condition     = output.endpoint == "rediss://fraud-test-profiles@primary.test:6379"
    error_message = "The endpoint names TLS and the user."
  }
}

run "profiles_are_evicted_before_marks" {
  command = apply

  module {
    source = "./modules/cache"
  }

  assert {
    condition     = { for parameter in aws_elasticache_parameter_group.this.parameter : parameter.name => parameter.value }["maxmemory-policy"] == "volatile-lru"
    error_message = "Only what has a time to live is evicted."
  }

  assert {
    condition     = aws_elasticache_parameter_group.this.name == "fraud-test-profiles-valkey8" && aws_elasticache_parameter_group.this.family == "valkey8"
    error_message = "The parameter group's name has its family, so that the next one can be created beside it."
  }
}

# The provider reads the group's major and minor version into engine_version, and replaces the group where the configured one is lower
# (internal/service/elasticache/engine_version.go: setEngineVersionValkey, engineVersionForceNewOnDowngrade). ElastiCache's API: a group
# can be upgraded and not downgraded; AutoMinorVersionUpgrade opts in to the next campaign of automatic upgrades.
run "no_version_changes_behind_the_plan" {
  command = apply

  module {
    source = "./modules/cache"
  }

  assert {
    condition     = aws_elasticache_replication_group.this.auto_minor_version_upgrade == "false"
    error_message = "An automatic upgrade would make the next plan replace the group, with all profiles in it."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.engine_version == var.engine_version
    error_message = "The version is pinned, and raised by a pull request."
  }
}

run "slow_log_goes_to_cloudwatch" {
  command = apply

  module {
    source = "./modules/cache"
  }

  assert {
    condition     = toset([for log in aws_elasticache_replication_group.this.log_delivery_configuration : "${log.log_type} ${log.destination_type} ${log.log_format}"]) == toset(["engine-log cloudwatch-logs json", "slow-log cloudwatch-logs json"])
    error_message = "Both logs are delivered in JSON."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.this : group.kms_key_id == var.logs_key_arn && group.retention_in_days == 30 && startswith(group.name, "/aws/elasticache/fraud-test-profiles/")])
    error_message = "Their groups have the logs key and a retention."
  }
}

run "a_group_is_restored_from_a_snapshot_and_can_be_replaced_again" {
  command   = apply
  state_key = "restored"

  module {
    source = "./modules/cache"
  }

  variables {
    restore_snapshot      = "fraud-test-profiles-before-the-fault"
    enable_final_snapshot = true
  }

  assert {
    condition     = aws_elasticache_replication_group.this.snapshot_name == "fraud-test-profiles-before-the-fault"
    error_message = "The new group has the snapshot's content."
  }

  assert {
    condition     = terraform_data.life.triggers_replace == var.restore_snapshot
    error_message = "ElastiCache refuses a last snapshot with a name that exists, so each group that is restored leaves one of another name."
  }
}

run "redis_by_a_variable" {
  command = apply

  module {
    source = "./modules/cache"
  }

  variables {
    engine                = "redis"
    engine_version        = "7.1"
    enable_final_snapshot = true
  }

  assert {
    condition     = aws_elasticache_replication_group.this.engine == "redis" && aws_elasticache_parameter_group.this.family == "redis7" && aws_elasticache_user.profiles.engine == "redis"
    error_message = "Group, parameters and user are of one engine."
  }

  assert {
    condition     = aws_elasticache_user.default[0].access_string == "off ~* -@all" && length(aws_elasticache_user_group.this.user_ids) == 2
    error_message = "The default user that Redis OSS requires is disabled."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.final_snapshot_identifier == "fraud-test-profiles-${substr(terraform_data.life.id, 0, 8)}"
    error_message = "A last snapshot is kept if requested."
  }
}

run "replicas_scale_between_two_numbers" {
  command   = apply
  state_key = "scaling" # a separate group: replicas that autoscaling manages are not changed in an existing one

  module {
    source = "./modules/cache"
  }

  variables {
    replicas = { minimum = 1, maximum = 4 }
  }

  assert {
    condition     = aws_appautoscaling_target.replicas[0].min_capacity == 1 && aws_appautoscaling_target.replicas[0].max_capacity == 4 && aws_appautoscaling_target.replicas[0].scalable_dimension == "elasticache:replication-group:Replicas"
    error_message = "Replicas scale between minimum and maximum."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.cluster_mode == "enabled" && aws_elasticache_replication_group.this.num_node_groups == 1 && aws_elasticache_replication_group.this.replicas_per_node_group == 1
    error_message = "ElastiCache scales groups in cluster mode only; one shard."
  }

  assert {
    condition     = output.endpoint == "rediss://fraud-test-profiles@configuration.test:6379" && join(" ", output.node_ids) == "fraud-test-profiles-0001-001 fraud-test-profiles-0001-002"
    error_message = "Clients and alarms use the names of cluster mode."
  }
}

run "refuses_a_name_in_capitals" {
  command = plan

  module {
    source = "./modules/cache"
  }

  variables {
    name = "Fraud"
  }

  expect_failures = [var.name]
}

run "refuses_memcached" {
  command = plan

  module {
    source = "./modules/cache"
  }

  variables {
    engine = "memcached"
  }

  expect_failures = [var.engine]
}

run "refuses_a_version_of_the_other_engine" {
  command = plan

  module {
    source = "./modules/cache"
  }

  variables {
    engine = "redis"
  }

  expect_failures = [var.engine_version]
}

run "refuses_a_size_without_its_prefix" {
  command = plan

  module {
    source = "./modules/cache"
  }

  variables {
    node_type = "r7g.large"
  }

  expect_failures = [var.node_type]
}

run "refuses_a_group_without_a_replica" {
  command = plan

  module {
    source = "./modules/cache"
  }

  variables {
    replicas = { minimum = 0, maximum = 0 }
  }

  expect_failures = [var.replicas]
}

run "refuses_a_maximum_below_the_minimum" {
  command = plan

  module {
    source = "./modules/cache"
  }

  variables {
    replicas = { minimum = 2, maximum = 1 }
  }

  expect_failures = [var.replicas]
}

run "refuses_scaling_of_burstable_nodes" {
  command = plan

  module {
    source = "./modules/cache"
  }

  variables {
    node_type = "cache.t4g.small"
    replicas  = { minimum = 1, maximum = 2 }
  }

  expect_failures = [var.replicas]
}

run "refuses_one_subnet" {
  command = plan

  module {
    source = "./modules/cache"
  }

  variables {
    subnet_ids = ["subnet-a"]
  }

  expect_failures = [var.subnet_ids]
}

run "refuses_no_snapshots" {
  command = plan

  module {
    source = "./modules/cache"
  }

  variables {
    snapshot_retention_days = 0
  }

  expect_failures = [var.snapshot_retention_days]
}

run "refuses_to_restore_an_automatic_snapshot" {
  command = plan

  module {
    source = "./modules/cache"
  }

  variables {
    restore_snapshot = "automatic.fraud-test-profiles-2026-11-26-03-00"
  }

  expect_failures = [var.restore_snapshot]
}
