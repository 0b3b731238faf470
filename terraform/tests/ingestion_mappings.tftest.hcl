# What the streaming job reads of which folder: payments and labels, with the mappings of senders.

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

run "the_job_reads_labels_beside_payments_and_sends_them_to_their_queue" {
  command = apply

  module {
    source = "./modules/ingestion"
  }

  assert {
    condition     = aws_glue_job.this.default_arguments["--labels_path"] == "s3://fraud-test-landing-123456789012/labels/" && aws_glue_job.this.default_arguments["--labels_quarantine_path"] == "s3://fraud-test-quarantine-123456789012/label_files/" && aws_glue_job.this.default_arguments["--labels_queue_url"] == var.labels_queue.url
    error_message = "Files of labels have their own landing prefix and quarantine, and their queue."
  }

  assert {
    condition     = aws_glue_job.this.default_arguments["--labels_checkpoint_path"] == "s3://fraud-test-work-123456789012/checkpoints/stream-labels/" && aws_glue_job.this.default_arguments["--labels_checkpoint_path"] != aws_glue_job.this.default_arguments["--checkpoint_path"]
    error_message = "Two queries never share a checkpoint."
  }

  assert {
    condition     = { for statement in jsondecode(aws_iam_role_policy.job.policy).Statement : statement.Sid => statement }["SendLabels"].Resource == var.labels_queue.arn && { for statement in jsondecode(aws_iam_role_policy.job.policy).Statement : statement.Sid => statement }["SendLabels"].Action == "sqs:SendMessage"
    error_message = "The job sends to the labels queue, and to no other."
  }

  assert {
    condition     = output.labels_url == aws_glue_job.this.default_arguments["--labels_path"] && output.labels_quarantine_url == aws_glue_job.this.default_arguments["--labels_quarantine_path"]
    error_message = "People drop files where the job reads them."
  }

  assert {
    condition     = !contains(keys(aws_glue_job.this.default_arguments), "--label_mappings_path") && length(aws_s3_object.label_mappings) == 0
    error_message = "Without mappings, columns are known by their names."
  }
}

run "mappings_of_labels_are_apart_from_those_of_payments" {
  command = apply

  module {
    source = "./modules/ingestion"
  }

  variables {
    label_mapping_file_by_prefix = { "acme" = "./tests/fixtures/mappings/acme-labels.yaml" }
  }

  assert {
    condition     = { for prefix, object in aws_s3_object.label_mappings : prefix => "s3://${object.bucket}/${object.key}" } == { acme = "${aws_glue_job.this.default_arguments["--label_mappings_path"]}acme.yaml" }
    error_message = "A mapping's name below the folder is its prefix."
  }

  assert {
    condition     = !contains(keys(aws_glue_job.this.default_arguments), "--mappings_path")
    error_message = "A mapping of labels is none of payments."
  }
}

run "refuses_a_mapping_of_payments_for_labels" {
  command = plan

  module {
    source = "./modules/ingestion"
  }

  variables {
    label_mapping_file_by_prefix = { "acme" = "./tests/fixtures/mappings/acme.yaml" }
  }

  expect_failures = [var.label_mapping_file_by_prefix]
}

run "refuses_a_mapping_of_labels_that_does_not_exist" {
  command = plan

  module {
    source = "./modules/ingestion"
  }

  variables {
    label_mapping_file_by_prefix = { "acme" = "./tests/fixtures/mappings/none.yaml" }
  }

  expect_failures = [var.label_mapping_file_by_prefix]
}

run "refuses_a_prefix_of_labels_with_an_empty_folder" {
  command = plan

  module {
    source = "./modules/ingestion"
  }

  variables {
    label_mapping_file_by_prefix = { "acme//cards" = "./tests/fixtures/mappings/acme-labels.yaml" }
  }

  expect_failures = [var.label_mapping_file_by_prefix]
}

run "without_mappings_the_job_is_given_none" {
  command = apply

  module {
    source = "./modules/ingestion"
  }

  assert {
    condition     = !contains(keys(aws_glue_job.this.default_arguments), "--mappings_path") && length(aws_s3_object.mappings) == 0
    error_message = "Columns are known by their names."
  }
}

run "mappings_are_uploaded_by_prefix_and_the_job_is_given_their_folder" {
  command = apply

  module {
    source = "./modules/ingestion"
  }

  variables {
    mapping_file_by_prefix = {
      "acme"       = "./tests/fixtures/mappings/acme.yaml"
      "acme/cards" = "./tests/fixtures/mappings/acme.yaml"
    }
  }

  assert {
    condition     = can(regex("^s3://fraud-test-work-123456789012/artifacts/mappings/[0-9a-f]{16}/$", aws_glue_job.this.default_arguments["--mappings_path"]))
    error_message = "The job is given the folder of its mappings."
  }

  assert {
    condition     = { for prefix, object in aws_s3_object.mappings : prefix => "s3://${object.bucket}/${object.key}" } == { for prefix in ["acme", "acme/cards"] : prefix => "${aws_glue_job.this.default_arguments["--mappings_path"]}${prefix}.yaml" }
    error_message = "A mapping's name below the folder is its prefix."
  }
}

run "a_change_of_a_mapping_is_a_change_of_their_folder" {
  command = apply

  module {
    source = "./modules/ingestion"
  }

  variables {
    mapping_file_by_prefix = { "acme" = "./tests/fixtures/mappings/acme.yaml" }
  }

  assert {
    condition     = aws_glue_job.this.default_arguments["--mappings_path"] == "s3://fraud-test-work-123456789012/artifacts/mappings/${substr(sha256(jsonencode({ acme = filesha256("./tests/fixtures/mappings/acme.yaml") })), 0, 16)}/"
    error_message = "The folder's name depends on prefixes and contents, so that a plan shows a change."
  }
}

run "refuses_a_mapping_that_does_not_exist" {
  command = plan

  module {
    source = "./modules/ingestion"
  }

  variables {
    mapping_file_by_prefix = { "acme" = "./tests/fixtures/mappings/none.yaml" }
  }

  expect_failures = [var.mapping_file_by_prefix]
}

run "refuses_a_mapping_without_transaction_ids" {
  command = plan

  module {
    source = "./modules/ingestion"
  }

  variables {
    mapping_file_by_prefix = { "acme" = "./tests/fixtures/mappings/without_id.yaml" }
  }

  expect_failures = [var.mapping_file_by_prefix]
}
