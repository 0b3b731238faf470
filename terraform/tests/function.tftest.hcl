# One function: what it is made with, what its role may do, and what is refused before anything is created.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name          = "fraud-test"
  function      = "payments"
  functions_dir = "./tests/fixtures/functions"
  build_dir     = "./tests/fixtures/zips"

  access_log_bucket  = "fraud-test-access-log"
  log_retention_days = 30

  references = { "cache.endpoint" = "rediss://score@cache:6379", "table.history" = "fraud-test-history", "queue.labels" = "https://sqs.us-east-1.amazonaws.com/123456789012/fraud-test-labels", "topic.retention" = "259200" }
  targets = {
    tables = { history = {
      arn        = "arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-history"
      stream_arn = "arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-history/stream/1"
    } }
    queues = { labels = {
      arn = "arn:aws:sqs:us-east-1:123456789012:fraud-test-labels"
      url = "https://sqs.us-east-1.amazonaws.com/123456789012/fraud-test-labels"
    } }
    buckets = { quarantine = { arn = "arn:aws:s3:::fraud-test-quarantine" } }
    topics  = { alerts = { arn = "arn:aws:sns:us-east-1:123456789012:fraud-test-alerts" } }
    cache = {
      replication_group_arn = "arn:aws:elasticache:us-east-1:123456789012:replicationgroup:profiles"
      user_arn              = "arn:aws:elasticache:us-east-1:123456789012:user:score"
    }
    rules = { configuration_arn = "arn:aws:appconfig:us-east-1:123456789012:application/a/environment/e/configuration/p" }
    kafka = {
      cluster_arn = "arn:aws:kafka:us-east-1:123456789012:cluster/fraud-test/0001-1"
      topic_names = { transaction_stream = "transaction_stream" }
    }
    keys = { tokenization = { arn = "arn:aws:kms:us-east-1:123456789012:key/tokenization" } }
  }
  created_kafka_topics = { transaction_stream = "transaction_stream" }
  vpc = {
    subnet_ids         = ["subnet-1", "subnet-2", "subnet-3"]
    security_group_ids = { functions = "sg-functions", cache = "sg-cache", kafka = "sg-kafka" }
  }
  key_arns = {
    data   = "arn:aws:kms:us-east-1:123456789012:key/data"
    alerts = "arn:aws:kms:us-east-1:123456789012:key/alerts"
    logs   = "arn:aws:kms:us-east-1:123456789012:key/logs"
  }
}

run "function_is_what_its_yaml_says" {
  command = apply

  module {
    source = "./modules/function"
  }

  assert {
    condition     = aws_lambda_function.this.function_name == "fraud-test-payments" && aws_lambda_function.this.handler == "payments.handler.handler" && aws_lambda_function.this.runtime == "python3.11"
    error_message = "Name, handler and runtime come from folder and function.yaml."
  }

  assert {
    condition     = aws_lambda_function.this.memory_size == 1024 && aws_lambda_function.this.timeout == 60 && aws_lambda_function.this.reserved_concurrent_executions == 50
    error_message = "Memory, timeout and concurrency come from function.yaml."
  }

  assert {
    condition     = aws_lambda_function.this.architectures == tolist(["arm64"]) && aws_lambda_function.this.publish
    error_message = "Functions run on arm64, each version published."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables == tomap({ CACHE = "rediss://score@cache:6379", DAYS = "400" })
    error_message = "References are resolved, literals are unchanged."
  }

  assert {
    condition     = aws_lambda_function.this.kms_key_arn == null && aws_lambda_function.this.tracing_config[0].mode == "Active"
    error_message = "Whoever may describe the function can read its variables, or every plan without a right to the key would show changes; and traces are on."
  }

  assert {
    condition     = aws_lambda_function.this.logging_config[0].log_format == "JSON" && aws_lambda_function.this.logging_config[0].application_log_level == "INFO"
    error_message = "Logs are JSON, and lines of level INFO, which metrics are, are kept."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/aws/lambda/fraud-test-payments" && aws_cloudwatch_log_group.this.retention_in_days == 30 && aws_cloudwatch_log_group.this.kms_key_id == var.key_arns.logs
    error_message = "The log group is created before the function, with retention and key."
  }

  assert {
    condition     = aws_lambda_function.this.source_code_hash == filebase64sha256("./tests/fixtures/zips/payments.zip")
    error_message = "The zip's bytes decide whether the function changes."
  }

  assert {
    condition     = aws_lambda_alias.live.function_version == aws_lambda_function.this.version
    error_message = "The alias points at the newest version."
  }

  assert {
    condition     = aws_sqs_queue.dead_letter.kms_master_key_id == var.key_arns.data && aws_sqs_queue.dead_letter.message_retention_seconds == 1209600
    error_message = "The dead-letter queue is encrypted and keeps messages for SQS's maximum."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_policy.dead_letter.policy).Statement[*].Sid == ["TlsOnly"]
    error_message = "The dead-letter queue refuses requests without TLS."
  }
}

run "function_with_the_cache_is_in_the_vpc" {
  command = apply

  module {
    source = "./modules/function"
  }

  assert {
    condition     = aws_lambda_function.this.vpc_config[0].security_group_ids == toset(["sg-functions", "sg-cache"])
    error_message = "It joins the groups of what its access names, and not the brokers'."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.runtime.policy).Statement : statement.Effect if contains(statement.Action, "ec2:CreateNetworkInterface")] == ["Allow", "Deny"]
    error_message = "Lambda may create network interfaces with the role, the function's code may not."
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.runtime.policy).Statement : statement.Condition.ArnEquals["lambda:SourceFunctionArn"] if statement.Effect == "Deny"] == [
      ["arn:aws:lambda:us-east-1:123456789012:function:fraud-test-payments"]
    ]
    error_message = "The denial is for this function's code."
  }
}

run "role_allows_exactly_what_is_used" {
  command = apply

  module {
    source = "./modules/function"
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.access["access"].policy).Statement : statement.Sid => { actions = statement.Action, resources = statement.Resource } } == {
      TableHistory           = { actions = ["dynamodb:PartiQLInsert", "dynamodb:Query"], resources = ["arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-history"] }
      BucketQuarantineStream = { actions = ["s3:PutObject"], resources = ["arn:aws:s3:::fraud-test-quarantine/stream/*"] }
      CacheProfiles          = { actions = ["elasticache:Connect"], resources = ["arn:aws:elasticache:us-east-1:123456789012:replicationgroup:profiles", "arn:aws:elasticache:us-east-1:123456789012:user:score"] }
      RulesRuleset           = { actions = ["appconfig:GetLatestConfiguration"], resources = ["arn:aws:appconfig:us-east-1:123456789012:application/a/environment/e/configuration/p"] }
      ReadWithDataKey        = { actions = ["kms:Decrypt"], resources = ["arn:aws:kms:us-east-1:123456789012:key/data"] }
      WriteWithDataKey       = { actions = ["kms:GenerateDataKey"], resources = ["arn:aws:kms:us-east-1:123456789012:key/data"] }
    }
    error_message = "One statement for each access entry, and the keys that its targets are encrypted with."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.access["access"].policy).Statement : statement.Sid => statement.Condition.StringEquals["kms:ViaService"] if can(statement.Condition) } == {
      ReadWithDataKey  = ["dynamodb.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com"]
      WriteWithDataKey = ["s3.us-east-1.amazonaws.com"]
    }
    error_message = "Keys are used through the services of the targets, and by no call of the function itself."
  }
}

run "refuses_an_unknown_reference" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    function = "lost"
  }

  expect_failures = [aws_lambda_function.this]
}

run "refuses_access_to_an_unknown_target" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    function = "stray"
  }

  expect_failures = [aws_iam_role_policy.access]
}

run "refuses_a_zip_that_was_not_built" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    build_dir = "./tests/fixtures/nowhere"
  }

  expect_failures = [aws_lambda_function.this]
}

run "refuses_a_name_in_capitals" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    name = "Fraud"
  }

  expect_failures = [var.name]
}

run "refuses_a_folder_that_is_a_path" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    function = "../functions/payments"
  }

  expect_failures = [var.function]
}

run "refuses_one_subnet" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    vpc = {
      subnet_ids         = ["subnet-1"]
      security_group_ids = { functions = "sg-functions", cache = "sg-cache", kafka = "sg-kafka" }
    }
  }

  expect_failures = [var.vpc]
}

run "refuses_a_retention_that_cloudwatch_does_not_have" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    log_retention_days = 31
  }

  expect_failures = [var.log_retention_days]
}
