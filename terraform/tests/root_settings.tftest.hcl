# The root module: which settings of an environment are refused.

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

run "prod_plans_with_someone_to_page_and_someone_to_alert" {
  command = plan

  variables {
    environment        = "prod"
    audit_heads        = { lock_mode = "COMPLIANCE", retention_days = 400 }
    monthly_budget_usd = 3200
  }

  assert {
    condition     = length(module.alerts.redrive_queues) == 2 && length(module.operations["page"].redrive_queues) == 1
    error_message = "Prod has its subscribers."
  }
  assert {
    condition     = aws_budgets_budget.month[0].limit_amount == "3200" && toset([for notification in aws_budgets_budget.month[0].notification : notification.notification_type]) == toset(["ACTUAL", "FORECASTED"])
    error_message = "A ticket says that the month becomes too expensive, before and when it does."
  }
}

run "refuses_prod_without_a_budget" {
  command = plan

  variables {
    environment = "prod"
    audit_heads = { lock_mode = "COMPLIANCE", retention_days = 400 }
  }

  expect_failures = [var.monthly_budget_usd]
}

run "refuses_prod_whose_audit_heads_an_administrator_can_delete" {
  command = plan

  variables {
    environment        = "prod"
    monthly_budget_usd = 3200
  }

  expect_failures = [var.audit_heads]
}

run "refuses_a_budget_of_nothing" {
  command = plan

  variables {
    monthly_budget_usd = 0
  }

  expect_failures = [var.monthly_budget_usd]
}

run "refuses_prod_without_someone_to_page" {
  command = plan

  variables {
    environment              = "prod"
    audit_heads              = { lock_mode = "COMPLIANCE", retention_days = 400 }
    monthly_budget_usd       = 3200
    operations_subscriptions = { ticket = { team = { protocol = "email", endpoint = "team@example.com" } } }
  }

  expect_failures = [var.operations_subscriptions]
}

run "refuses_prod_without_someone_to_alert" {
  command = plan

  variables {
    environment         = "prod"
    audit_heads         = { lock_mode = "COMPLIANCE", retention_days = 400 }
    monthly_budget_usd  = 3200
    alert_subscriptions = {}
  }

  expect_failures = [var.alert_subscriptions]
}

run "refuses_a_project_in_capitals" {
  command = plan

  variables {
    project = "Fraud"
  }

  expect_failures = [var.project]
}

run "refuses_an_environment_with_a_hyphen" {
  command = plan

  variables {
    environment = "dev-eu"
  }

  expect_failures = [var.environment]
}

run "refuses_an_account_that_is_not_a_number" {
  command = plan

  variables {
    account_id = "payments"
  }

  expect_failures = [var.account_id]
}

run "refuses_a_zone_for_a_region" {
  command = plan

  variables {
    region             = "us-east-1a"
    availability_zones = ["us-east-1aa", "us-east-1ab", "us-east-1ac"]
  }

  expect_failures = [var.region]
}

run "refuses_a_boundary_that_is_not_a_policy" {
  command = plan

  variables {
    permissions_boundary_arn = "boundary"
  }

  expect_failures = [var.permissions_boundary_arn]
}

run "refuses_zones_of_another_region" {
  command = plan

  variables {
    availability_zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
  }

  expect_failures = [var.availability_zones]
}

run "refuses_half_a_partition" {
  command = plan

  variables {
    kafka = { brokers = { instance_type = "kafka.t3.small", volume_gib = 10, volume_maximum_gib = 100 }, partitions = 1.5, retention_hours = 168 }
  }

  expect_failures = [var.kafka]
}

run "refuses_a_retention_of_a_few_hours" {
  command = plan

  variables {
    kafka = { brokers = { instance_type = "kafka.t3.small", volume_gib = 10, volume_maximum_gib = 100 }, partitions = 12, retention_hours = 23 }
  }

  expect_failures = [var.kafka]
}

run "refuses_free_sms" {
  command = plan

  variables {
    sms_monthly_limit_usd = 0
  }

  expect_failures = [var.sms_monthly_limit_usd]
}

run "refuses_a_misspelt_threshold" {
  command = plan

  variables {
    alarm_thresholds = { offset_leg = 1 }
  }

  expect_failures = [var.alarm_thresholds]
}

run "refuses_a_retention_that_cloudwatch_does_not_know" {
  command = plan

  variables {
    log_retention_days = 31
  }

  expect_failures = [var.log_retention_days]
}

run "refuses_to_switch_off_what_has_no_schedule" {
  command = plan

  variables {
    disabled_schedules = ["score"]
  }

  expect_failures = [var.disabled_schedules]
}

run "refuses_a_mapping_for_the_canary_s_folder" {
  command = plan

  variables {
    ingestion_mappings = { "canary/a" = "terraform/tests/fixtures/mappings/acme.yaml" }
  }

  expect_failures = [var.ingestion_mappings]
}
