# Which settings of the streaming job are refused.

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

run "refuses_a_name_in_capitals" {
  command = plan

  module {
    source = "./modules/ingestion"
  }

  variables {
    name = "Fraud"
  }

  expect_failures = [var.name]
}

run "refuses_a_prefix_that_is_no_folder" {
  command = plan

  module {
    source = "./modules/ingestion"
  }

  variables {
    mapping_file_by_prefix = { "/acme/" = "./tests/fixtures/mappings/acme.yaml" }
  }

  expect_failures = [var.mapping_file_by_prefix]
}

run "refuses_scripts_that_do_not_exist" {
  command = plan

  module {
    source = "./modules/ingestion"
  }

  variables {
    scripts_dir = "../rules"
  }

  expect_failures = [var.scripts_dir]
}

run "refuses_a_missing_build" {
  command = plan

  module {
    source = "./modules/ingestion"
  }

  variables {
    build_dir = "../rules"
  }

  expect_failures = [var.build_dir]
}

run "refuses_workers_that_streams_do_not_have" {
  command = plan

  module {
    source = "./modules/ingestion"
  }

  variables {
    worker_type = "Standard"
  }

  expect_failures = [var.worker_type]
}

run "refuses_a_driver_alone" {
  command = plan

  module {
    source = "./modules/ingestion"
  }

  variables {
    maximum_workers = 1
  }

  expect_failures = [var.maximum_workers]
}

run "refuses_batches_without_a_pause" {
  command = plan

  module {
    source = "./modules/ingestion"
  }

  variables {
    trigger_interval_seconds = 0
  }

  expect_failures = [var.trigger_interval_seconds]
}

run "refuses_no_subnet" {
  command = plan

  module {
    source = "./modules/ingestion"
  }

  variables {
    subnet_id_by_zone = {}
  }

  expect_failures = [var.subnet_id_by_zone]
}

run "refuses_to_keep_landed_files_too_long" {
  command = plan

  module {
    source = "./modules/ingestion"
  }

  variables {
    landing_retention_days = 91
  }

  expect_failures = [var.landing_retention_days]
}

run "refuses_to_keep_no_quarantine" {
  command = plan

  module {
    source = "./modules/ingestion"
  }

  variables {
    quarantine_retention_days = 0
  }

  expect_failures = [var.quarantine_retention_days]
}
