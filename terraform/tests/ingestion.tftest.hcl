# The streaming job: what it runs, its rights, its network, and its buckets.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name              = "fraud-test"
  scripts_dir       = "../glue_scripts"
  build_dir         = "../build/glue"
  subnet_id_by_zone = { "us-east-1a" = "subnet-a", "us-east-1b" = "subnet-b", "us-east-1c" = "subnet-c" }
  security_group_id = "sg-ingestion"
  metrics_namespace = "FraudDetection/test"
  kafka = {
    bootstrap_servers = "b-1.test:9098"
    cluster_arn       = "arn:aws:kafka:us-east-1:123456789012:cluster/fraud-test/1"
    topic             = "transaction_stream"
    topic_arn         = "arn:aws:kafka:us-east-1:123456789012:topic/fraud-test/1/transaction_stream"
  }
  labels_queue = {
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/fraud-test-labels"
    arn = "arn:aws:sqs:us-east-1:123456789012:fraud-test-labels"
  }
  data_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/data"
  logs_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/logs"
  log_retention_days         = 30
  enable_deletion_protection = true
}

run "a_streaming_job_on_glue_5_that_scales" {
  command = apply

  module {
    source = "./modules/ingestion"
  }

  assert {
    condition     = aws_glue_job.this.name == "fraud-test-stream-transactions" && aws_glue_job.this.glue_version == "5.0" && aws_glue_job.this.command[0].name == "gluestreaming"
    error_message = "A streaming job on Glue 5."
  }

  assert {
    condition     = aws_glue_job.this.default_arguments["--enable-auto-scaling"] == "true" && aws_glue_job.this.number_of_workers == 4 && aws_glue_job.this.worker_type == "G.025X"
    error_message = "Glue scales below the maximum."
  }

  assert {
    condition     = one(aws_glue_job.this.execution_property).max_concurrent_runs == 1
    error_message = "Two runs never share a checkpoint."
  }

  assert {
    condition     = aws_glue_job.this.security_configuration == aws_glue_security_configuration.this.name
    error_message = "What the job writes is encrypted."
  }
}

# AWS, "Logging for AWS Glue jobs", section "Security configuration with Amazon CloudWatch logging": with a security configuration and
# a custom prefix the groups are <prefix>/<security configuration>-role/<role>/error and .../output; standard output goes to the
# latter; without logs:AssociateKmsKey nothing is logged. AWS, "Using the PutLogEvents API to send manually-created embedded metric
# format logs": CloudWatch extracts the metrics of such a line from any group, without a header.
run "the_log_groups_are_those_that_glue_writes_and_metrics_come_from" {
  command = apply

  module {
    source = "./modules/ingestion"
  }

  assert {
    condition = { for kind, group in aws_cloudwatch_log_group.this : kind => group.name } == {
      for kind in ["output", "error"] : kind => "${aws_glue_job.this.default_arguments["--custom-logGroup-prefix"]}/${aws_glue_job.this.security_configuration}-role/${aws_iam_role.job.name}/${kind}"
    }
    error_message = "With an encrypting security configuration Glue names its groups after the prefix, the configuration and the role."
  }

  assert {
    condition     = aws_iam_role.job.path == null || aws_iam_role.job.path == "/"
    error_message = "The path of a role would be in the names too."
  }

  assert {
    condition     = aws_glue_security_configuration.this.encryption_configuration[0].cloudwatch_encryption[0].cloudwatch_encryption_mode == "SSE-KMS" && alltrue([for group in aws_cloudwatch_log_group.this : group.kms_key_id == var.logs_key_arn && group.kms_key_id == aws_glue_security_configuration.this.encryption_configuration[0].cloudwatch_encryption[0].kms_key_arn && group.retention_in_days == 30])
    error_message = "Glue and the groups use one key, and lines expire."
  }

  assert {
    condition     = toset({ for statement in jsondecode(aws_iam_role_policy.job.policy).Statement : statement.Sid => statement }["WriteItsLogs"].Resource) == toset([for group in aws_cloudwatch_log_group.this : "arn:aws:logs:us-east-1:123456789012:log-group:${group.name}:*"])
    error_message = "The role writes to these groups and to no other."
  }

  assert {
    condition     = length(setsubtract(["logs:AssociateKmsKey", "logs:CreateLogStream", "logs:PutLogEvents"], { for statement in jsondecode(aws_iam_role_policy.job.policy).Statement : statement.Sid => statement }["WriteItsLogs"].Action)) == 0
    error_message = "Without AssociateKmsKey Glue logs nothing."
  }

  assert {
    condition     = output.log_group_name == aws_cloudwatch_log_group.this["output"].name && aws_glue_job.this.default_arguments["--metrics_namespace"] == var.metrics_namespace
    error_message = "The job prints its metrics to the output group, in the namespace that the alarms watch."
  }
}

# AWS, "AWS Glue job run statuses": FAILED is also a start beside the maximum of concurrent runs. "AWS Glue events" (EventBridge): delivery
# is best effort. tests/terraform/test_keep_running.py runs the state machine.
run "the_job_is_started_when_it_ended_and_at_the_latest_after_five_minutes" {
  command = apply

  module {
    source = "./modules/ingestion"
  }

  assert {
    condition     = jsondecode(local.keep_running_rules.ended.event_pattern).detail == { jobName = [aws_glue_job.this.name], state = ["FAILED", "STOPPED", "SUCCEEDED", "TIMEOUT"] } && jsondecode(local.keep_running_rules.ended.event_pattern)["detail-type"] == ["Glue Job State Change"]
    error_message = "The end of a run of this job is the reason to start it."
  }

  assert {
    condition     = local.keep_running_rules.regularly.schedule == "rate(5 minutes)"
    error_message = "A lost event delays ingestion by five minutes at most."
  }

  assert {
    condition     = one(local.keep_running_policy.Statement).Resource == "arn:aws:glue:us-east-1:123456789012:job/fraud-test-stream-transactions" && toset(one(local.keep_running_policy.Statement).Action) == toset(["glue:GetJobRuns", "glue:StartJobRun"])
    error_message = "It finds and starts one job."
  }
}

run "the_job_is_given_its_paths_and_no_secret" {
  command = apply

  module {
    source = "./modules/ingestion"
  }

  assert {
    condition     = aws_glue_job.this.default_arguments["--landing_path"] == "s3://fraud-test-landing-123456789012/transactions/" && aws_glue_job.this.default_arguments["--quarantine_path"] == "s3://fraud-test-quarantine-123456789012/ingestion/" && aws_glue_job.this.default_arguments["--checkpoint_path"] == "s3://fraud-test-work-123456789012/checkpoints/stream-transactions/"
    error_message = "Landing, quarantine and checkpoint have their prefixes."
  }

  assert {
    condition     = jsondecode(aws_glue_job.this.default_arguments["--kafka_options"])["kafka.sasl.mechanism"] == "AWS_MSK_IAM" && jsondecode(aws_glue_job.this.default_arguments["--kafka_options"])["kafka.security.protocol"] == "SASL_SSL"
    error_message = "The job signs in with IAM over TLS."
  }

  assert {
    condition     = aws_glue_job.this.default_arguments["--tokenization_key"] == "kms:${aws_kms_key.tokenization.arn}" && aws_glue_job.this.default_arguments["--topic"] == "transaction_stream" && aws_glue_job.this.default_arguments["--metrics_namespace"] == "FraudDetection/test"
    error_message = "The tokenisation key is named, not given."
  }

  assert {
    condition     = can(regex("^s3://fraud-test-work-123456789012/artifacts/wheels/[0-9a-f]{16}/msgspec-.*\\.whl$", aws_glue_job.this.default_arguments["--additional-python-modules"]))
    error_message = "Packages come from the bucket: the job cannot reach an index."
  }

  assert {
    condition     = aws_glue_job.this.command[0].script_location == "s3://fraud-test-work-123456789012/artifacts/scripts/${substr(filesha256("../glue_scripts/stream_transactions.py"), 0, 16)}/stream_transactions.py"
    error_message = "A change of the script is a change of its name."
  }
}

run "a_connection_in_each_zone" {
  command = apply

  module {
    source = "./modules/ingestion"
  }

  assert {
    condition     = { for zone, connection in aws_glue_connection.kafka : zone => connection.physical_connection_requirements[0].subnet_id } == { "us-east-1a" = "subnet-a", "us-east-1b" = "subnet-b", "us-east-1c" = "subnet-c" } && length(aws_glue_job.this.connections) == 3
    error_message = "The job can start while a zone is unavailable."
  }

  assert {
    condition     = alltrue([for connection in aws_glue_connection.kafka : connection.connection_type == "KAFKA" && connection.connection_properties.KAFKA_SSL_ENABLED == "true" && connection.connection_properties.KAFKA_SASL_MECHANISM == "AWS_MSK_IAM"])
    error_message = "Connections are of Kafka, with IAM over TLS."
  }
}

run "the_role_names_its_resources" {
  command = apply

  module {
    source = "./modules/ingestion"
  }

  variables {
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = { for statement in jsondecode(aws_iam_role_policy.job.policy).Statement : statement.Sid => statement }["ReadLandedFiles"].Resource == ["${module.buckets["landing"].arn}/transactions/*", "${module.buckets["landing"].arn}/labels/*"] && { for statement in jsondecode(aws_iam_role_policy.job.policy).Statement : statement.Sid => statement }["ReadLandedFiles"].Action == "s3:GetObject"
    error_message = "The job reads landed files, and does not delete them."
  }

  assert {
    condition     = { for statement in jsondecode(aws_iam_role_policy.job.policy).Statement : statement.Sid => statement }["ProduceRecords"].Resource == var.kafka.topic_arn && { for statement in jsondecode(aws_iam_role_policy.job.policy).Statement : statement.Sid => statement }["SignInToBrokers"].Resource == var.kafka.cluster_arn
    error_message = "It writes to one topic of one cluster."
  }

  assert {
    condition     = toset([for sid, statement in { for statement in jsondecode(aws_iam_role_policy.job.policy).Statement : statement.Sid => statement } : sid if try(statement.Resource == "*", false)]) == toset(["ConnectToTheNetwork", "WriteItsMetrics"])
    error_message = "Only actions for which IAM takes no resource have none."
  }

  assert {
    condition     = alltrue(flatten([for statement in jsondecode(aws_iam_role_policy.job.policy).Statement : [for action in flatten([statement.Action]) : !strcontains(action, "*")]]))
    error_message = "No action is a wildcard."
  }

  assert {
    condition     = aws_iam_role.job.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    error_message = "The role is within the boundary."
  }
}

run "only_the_job_and_named_roles_derive_from_the_tokenization_key" {
  command = apply

  module {
    source = "./modules/ingestion"
  }

  variables {
    token_role_names = ["fraud-test-card-token"]
  }

  assert {
    condition     = aws_kms_key.tokenization.key_usage == "GENERATE_VERIFY_MAC" && aws_kms_key.tokenization.customer_master_key_spec == "HMAC_256" && aws_kms_key.tokenization.deletion_window_in_days == 30
    error_message = "The key never leaves KMS."
  }

  assert {
    condition     = jsondecode(aws_kms_key.tokenization.policy).Statement[1].Effect == "Deny" && jsondecode(aws_kms_key.tokenization.policy).Statement[1].Condition.ArnNotEquals["aws:PrincipalArn"] == [aws_iam_role.job.arn, "arn:aws:iam::123456789012:role/fraud-test-card-token"]
    error_message = "Even an administrator derives nothing from it."
  }
}

run "without_keep_running_nothing_starts_the_job_and_a_run_ends_by_itself" {
  command = plan

  module {
    source = "./modules/ingestion"
  }

  variables {
    enable_keep_running = false
  }

  assert {
    condition     = length(module.keep_running.rule_names) == 0
    error_message = "No rule starts the job."
  }

  assert {
    condition     = aws_glue_job.this.timeout == 480
    error_message = "A run that somebody forgot ends after a working day."
  }
}
