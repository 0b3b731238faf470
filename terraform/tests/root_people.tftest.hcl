# The root module: what people use beside the payments, each of it only where an environment asks for it.

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

run "only_list_editors_may_ask_for_tokens_of_card_numbers" {
  command = apply

  variables {
    list_editor_arns = ["arn:aws:iam::123456789012:role/fraud-analysts"]
  }

  assert {
    condition     = jsondecode(aws_iam_role.list_editors[0].assume_role_policy).Statement[*].Principal.AWS == [["arn:aws:iam::123456789012:role/fraud-analysts"]]
    error_message = "Only the named roles take the role."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.list_editors[0].policy).Statement[*].Action == ["lambda:InvokeFunction"] && jsondecode(aws_iam_role_policy.list_editors[0].policy).Statement[0].Resource == module.functions["card_token"].alias_arn
    error_message = "The role asks for tokens, and does nothing else."
  }

  assert {
    condition     = local.token_role_names == ["fraud-test-card-token"]
    error_message = "Of the functions, only card_token derives the key of the tokens."
  }
}

run "without_named_people_nobody_may_ask_for_tokens" {
  command = plan

  assert {
    condition     = length(aws_iam_role.list_editors) == 0 && output.list_editors_role_arn == null
    error_message = "Nobody named, no role."
  }
}

run "refuses_everybody_as_list_editors" {
  command = plan

  variables {
    list_editor_arns = ["*"]
  }

  expect_failures = [var.list_editor_arns]
}

run "models_are_trained_where_somebody_may_train" {
  command = apply

  variables {
    training     = { trainer_arns = ["arn:aws:iam::123456789012:role/data-scientists"] }
    enable_audit = true
  }

  assert {
    condition     = startswith(output.training.state_machine_arn, "arn:") && output.training.job_name_prefix == "fraud-test"
    error_message = "A training is a run of the state machine, and its jobs begin with the environment's name."
  }

  assert {
    condition     = output.training.proposed_url == "s3://${module.rules_bucket.name}/models/proposed/"
    error_message = "What a training makes is a proposal."
  }
}

run "nothing_is_trained_by_default" {
  command = plan

  assert {
    condition     = length(module.training) == 0 && output.training == null
    error_message = "Without people who may train there is nothing to pay for."
  }
}

run "stored_payments_are_decided_again_where_backtests_are_on" {
  command = apply

  variables {
    backtest     = {}
    enable_audit = true
  }

  assert {
    condition     = output.backtest.bucket == "fraud-test-backtest-123456789012" && output.backtest.job_name == "fraud-test-backtest"
    error_message = "make backtest finds its bucket and its job."
  }
}

run "there_are_no_backtests_by_default" {
  command = plan

  assert {
    condition     = length(module.backtest) == 0 && output.backtest == null
    error_message = "Nobody has exports of payments made without saying so."
  }
}

run "the_console_is_made_where_somebody_may_reach_it" {
  command = apply

  variables {
    console = { endpoint_type = "PRIVATE", allowed_cidrs = ["10.50.0.0/16"] }
  }

  assert {
    condition     = output.console_url == "https://a1b2c3d4e5-vpce-00000000000000001.execute-api.us-east-1.amazonaws.com/v1" && output.console_user_pool_id == "us-east-1_AbCdEfGhI"
    error_message = "People find the address, and an administrator the user pool."
  }

  assert {
    condition     = local.references["console.url"] == output.console_url && local.references["identity.client_id"] == "1example23456789" && local.references["identity.issuer"] == "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI"
    error_message = "The console knows its own address and its identity provider, and alerts know the console's address."
  }

  assert {
    condition     = output.function_names["console"] == "fraud-test-console" && module.http[0].api_name == "fraud-test-console"
    error_message = "The function has the folder's name, and its API the same."
  }
}

run "there_is_no_console_by_default" {
  command = plan

  assert {
    condition     = length(module.http) == 0 && length(module.sign_in) == 0 && output.console_url == null && output.console_user_pool_id == null && local.references["console.url"] == "" && !contains(keys(output.function_names), "console")
    error_message = "Nobody gets a door into the system without saying who may use it."
  }
}
