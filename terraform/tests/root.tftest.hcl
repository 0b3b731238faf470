# The root module: how the modules are connected.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment                = "test"
  account_id                 = "123456789012"
  region                     = "us-east-1"
  availability_zones         = ["us-east-1a", "us-east-1b", "us-east-1c"]
  log_retention_days         = 30
  enable_deletion_protection = false

  kafka = {
    brokers    = { instance_type = "kafka.t3.small", volume_gib = 10, volume_maximum_gib = 100 }
    partitions = 12
  }

  cache = {
    node_type = "cache.t4g.small"
    replicas  = { minimum = 1, maximum = 1 }
  }

  alert_subscriptions = {
    analysts = { protocol = "email", endpoint = "fraud@example.com" }
    on-call  = { protocol = "sms", endpoint = "+4915112345678" }
  }

  operations_subscriptions = {
    page = { on-call = { protocol = "email", endpoint = "on-call@example.com" } }
  }
}

run "every_folder_with_a_function_yaml_is_a_function" {
  command = apply

  assert {
    condition     = toset(keys(output.function_names)) == toset([for file in fileset("../functions", "*/function.yaml") : dirname(file) if yamldecode(file("../functions/${file}")).trigger.type != "http"])
    error_message = "Functions are those below functions/, and no others."
  }

  assert {
    condition     = output.table_names == { for table in keys(yamldecode(file("../functions/contract/tables.yaml"))) : table => "fraud-test-${table}" }
    error_message = "Tables are those of tables.yaml, with the environment's name as prefix."
  }
}

run "topics_are_created_from_inside_the_network" {
  command = plan

  assert {
    condition     = jsondecode(aws_lambda_invocation.kafka_topics.input).topics[0].name == "transaction_stream" && jsondecode(aws_lambda_invocation.kafka_topics.input).topics[0].partitions == 12
    error_message = "topic_admin is asked for transaction_stream with the environment's partitions."
  }

  assert {
    condition     = jsondecode(aws_lambda_invocation.kafka_topics.input).topics[0].replication_factor == 3 && jsondecode(aws_lambda_invocation.kafka_topics.input).topics[0].configs["retention.ms"] == "604800000"
    error_message = "A replica in each zone, kept for a week."
  }
}

run "dead_letters_can_be_redriven" {
  command = plan

  assert {
    condition     = toset(keys(output.dead_letter_queue_urls)) == setsubtract(concat(keys(output.function_names), ["alerts-analysts", "alerts-on-call", "page-on-call"]), ["audit_keeper", "canary", "card_token", "digest", "drift", "guardrails", "label_upkeep", "replay", "ruleset_deployer"])
    error_message = "make redrive accepts the name of every function and subscription whose failed messages are kept; those of card_token hold card numbers, and runs of the keeper of audit heads, the canary, the digest, the drift stage, the guardrails, the upkeep of labels and the deployer of rulesets come again; whoever asks the replay waits for its answer, or sees that its trial has ended."
  }

  assert {
    condition     = aws_sqs_queue.quarantine.kms_master_key_id != null && jsondecode(aws_sqs_queue_policy.quarantine.policy).Statement[0].Effect == "Deny"
    error_message = "Quarantined records are encrypted, at rest and in transit."
  }
}

run "sms_settings_exist_only_with_an_sms_subscriber" {
  command = plan

  assert {
    condition     = aws_sns_sms_preferences.this[0].default_sms_type == "Transactional" && aws_sns_sms_preferences.this[0].monthly_spend_limit == 1
    error_message = "SMS are transactional, within a limit."
  }
}

run "without_sms_the_accounts_settings_are_unchanged" {
  command = plan

  variables {
    alert_subscriptions = {}
  }

  assert {
    condition     = length(aws_sns_sms_preferences.this) == 0
    error_message = "Without an SMS subscriber the account's SMS settings are not managed."
  }
}

run "serverless_kafka_changes_the_cluster_and_nothing_around_it" {
  command = apply

  variables {
    kafka = {
      capacity_mode = "serverless"
      brokers       = { instance_type = "kafka.t3.small", volume_gib = 10, volume_maximum_gib = 100 }
      partitions    = 12
    }
  }

  assert {
    condition     = output.kafka_bootstrap_servers == "boot-test.c1.kafka-serverless.us-east-1.amazonaws.com:9098"
    error_message = "Clients get the serverless endpoint."
  }
}

run "the_keeper_of_audit_heads_locks_them_as_its_bucket_does" {
  command = plan

  assert {
    condition     = local.references["audit_heads.lock_mode"] == "GOVERNANCE" && local.references["audit_heads.retention_days"] == "30" && local.references["bucket.audit_heads"] == module.audit_heads_bucket.name
    error_message = "The function locks each object as the bucket does."
  }
}

run "without_a_budget_nothing_counts_the_cost" {
  command = plan

  assert {
    condition     = length(aws_budgets_budget.month) == 0
    error_message = "No budget by default."
  }
}

run "a_record_is_retried_as_long_as_the_topic_keeps_it" {
  command = plan
  variables {
    kafka = { brokers = { instance_type = "kafka.t3.small", volume_gib = 10, volume_maximum_gib = 100 }, partitions = 12, retention_hours = 72 }
  }
  assert {
    condition     = local.references["topic.retention"] == "259200"
    error_message = "A record is retried while it is on the topic."
  }
}

run "a_record_is_retried_for_lambdas_longest_time_where_the_topic_keeps_it_longer" {
  command = plan
  variables {
    kafka = { brokers = { instance_type = "kafka.t3.small", volume_gib = 10, volume_maximum_gib = 100 }, partitions = 12, retention_hours = 8760 }
  }
  assert {
    condition     = local.references["topic.retention"] == "604800"
    error_message = "Lambda takes no record age above 604,800 seconds."
  }
}

run "an_audit_and_a_scan_are_watched" {
  command = plan

  variables {
    enable_audit        = true
    enable_malware_scan = true
  }

  assert {
    condition     = module.audit[0].metric_names == { touched = "payments-touched", opened = "payments-opened" } && module.protection.threat_rule_name == "${local.name}-malware-found"
    error_message = "Their alarms watch what the audit and the scan count."
  }
}

run "a_queue_that_a_function_reads_is_encrypted_and_hides_a_message_for_six_of_its_timeouts" {
  command = apply

  assert {
    condition     = { for name, queue in aws_sqs_queue.source : name => queue.name } == { labels = "fraud-test-labels" } && aws_sqs_queue.source["labels"].visibility_timeout_seconds == 6 * local.functions.label.timeout_seconds + local.functions.label.trigger.batch_window_seconds
    error_message = "Its name is the trigger's, and a message that fails comes again when the function has surely ended."
  }

  assert {
    condition     = aws_sqs_queue.source["labels"].kms_master_key_id == module.encryption.data_key_arn && aws_sqs_queue.source["labels"].message_retention_seconds == 1209600
    error_message = "Messages are encrypted with the customer key, and kept for the maximum of SQS."
  }

  assert {
    condition     = one(jsondecode(aws_sqs_queue_policy.source["labels"].policy).Statement).Effect == "Deny" && one(jsondecode(aws_sqs_queue_policy.source["labels"].policy).Statement).Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "Requests without TLS are refused."
  }

  assert {
    condition     = local.targets.queues["labels"].arn == aws_sqs_queue.source["labels"].arn && local.references["queue.labels"] == output.labels_queue_url
    error_message = "Functions that send to it and people find it by the name of the trigger."
  }
}

run "each_producer_of_labels_has_a_role" {
  command = plan

  variables {
    label_producers = { disputes = { principal_arns = ["arn:aws:iam::210987654321:role/chargebacks"] } }
  }

  assert {
    condition     = keys(output.label_producer_role_arns) == ["disputes"]
    error_message = "A producer takes on its own role to send labels."
  }
}

run "the_index_by_transaction_id_is_there_unless_it_is_switched_off" {
  command = plan

  assert {
    condition     = contains(keys(local.tables.transaction_history.indexes), "by_transaction_id") && local.references["index.transaction_history.by_transaction_id"] == "by_transaction_id"
    error_message = "By default a label finds its payment by transaction id alone."
  }
}

run "without_the_index_the_label_stage_knows_that_there_is_none" {
  command = plan

  variables {
    enable_transaction_index = false
  }

  assert {
    condition     = keys(local.tables.transaction_history.indexes) == ["by_flag_hour"] && local.references["index.transaction_history.by_transaction_id"] == ""
    error_message = "The table is made without it, and its name is empty."
  }

  assert {
    condition     = keys(local.tables.flagged_transactions.indexes) == ["by_status", "by_transaction_id"]
    error_message = "Other tables keep theirs."
  }
}

run "the_canary_has_a_queue_of_its_own_and_runs" {
  command = apply

  assert {
    condition     = jsondecode(aws_sns_topic_subscription.canary.filter_policy) == { canary = ["true"] } && aws_sns_topic_subscription.canary.raw_message_delivery && aws_sqs_queue.canary.sqs_managed_sse_enabled
    error_message = "Its queue gets its messages alone."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_policy.canary.policy).Statement[0].Condition.ArnEquals["aws:SourceArn"] == module.alerts.topic_arn
    error_message = "Only the alert topic sends to it."
  }

  assert {
    condition     = module.functions["canary"].is_scheduled && !module.functions["score"].is_scheduled
    error_message = "It runs unless an environment switches it off."
  }
}

run "a_schedule_can_be_switched_off_in_one_environment" {
  command = plan

  variables {
    disabled_schedules = ["canary"]
  }

  assert {
    condition     = !module.functions["canary"].is_scheduled
    error_message = "The canary is off."
  }
}

run "files_of_labels_land_beside_those_of_payments" {
  command = plan

  variables {
    label_mappings = { acme = "terraform/tests/fixtures/mappings/acme-labels.yaml" }
  }

  assert {
    condition     = output.landing_url == "s3://fraud-test-landing-123456789012/transactions/" && output.labels_landing_url == "s3://fraud-test-landing-123456789012/labels/"
    error_message = "One bucket, a prefix for each."
  }

  assert {
    condition     = output.quarantine_url == "s3://fraud-test-quarantine-123456789012/ingestion/" && output.labels_quarantine_url == "s3://fraud-test-quarantine-123456789012/label_files/"
    error_message = "Refused labels are apart from refused payments."
  }
}
