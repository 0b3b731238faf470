# How a function is invoked, by each kind of trigger, and what becomes of what fails.

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

run "kafka_mapping_retries_bisects_and_drops_nothing_early" {
  command = apply

  module {
    source = "./modules/function"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.kafka["transaction_stream"].topics == toset(["transaction_stream"]) && aws_lambda_event_source_mapping.kafka["transaction_stream"].amazon_managed_kafka_event_source_config[0].consumer_group_id == "fraud-score"
    error_message = "The mapping reads the topic as the fixed consumer group."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.kafka["transaction_stream"].provisioned_poller_config[0].minimum_pollers == 2 && aws_lambda_event_source_mapping.kafka["transaction_stream"].provisioned_poller_config[0].maximum_pollers == 20
    error_message = "Pollers are provisioned, as the error handling of Kafka mappings requires."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.kafka["transaction_stream"].bisect_batch_on_function_error && aws_lambda_event_source_mapping.kafka["transaction_stream"].maximum_retry_attempts == -1 && aws_lambda_event_source_mapping.kafka["transaction_stream"].maximum_record_age_in_seconds == 259200
    error_message = "A failed batch is halved, and a record is retried as long as the topic keeps it."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.kafka["transaction_stream"].function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "The function names the records to redeliver."
  }

  assert {
    condition     = length(aws_lambda_event_source_mapping.kafka["transaction_stream"].destination_config) == 0 && length(module.dead_letter_bucket) == 0
    error_message = "Without a destination Lambda does not end the retries after 10."
  }

  assert {
    condition     = length(aws_lambda_event_source_mapping.stream) == 0
    error_message = "One function has one mapping."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.kafka_source["transaction_stream"].policy).Statement : statement.Sid => statement.Resource if statement.Sid != "PlacePollers" } == {
      FindBrokers       = ["arn:aws:kafka:us-east-1:123456789012:cluster/fraud-test/0001-1"]
      ConnectAsConsumer = ["arn:aws:kafka:us-east-1:123456789012:cluster/fraud-test/0001-1"]
      ReadTopic         = ["arn:aws:kafka:us-east-1:123456789012:topic/fraud-test/0001-1/transaction_stream"]
      CommitOffsets     = ["arn:aws:kafka:us-east-1:123456789012:group/fraud-test/0001-1/fraud-score"]
    }
    error_message = "The mapping reads one topic as one group."
  }
}

run "stream_mapping_filters_retries_and_dead_letters_with_content" {
  command = apply

  module {
    source = "./modules/function"
  }

  variables {
    function = "changes"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.stream["history"].event_source_arn == var.targets.tables.history.stream_arn && aws_lambda_event_source_mapping.stream["history"].parallelization_factor == 4 && aws_lambda_event_source_mapping.stream["history"].maximum_batching_window_in_seconds == 1
    error_message = "The mapping reads the table's stream as function.yaml says."
  }

  assert {
    condition     = jsondecode(one(aws_lambda_event_source_mapping.stream["history"].filter_criteria[0].filter).pattern) == { eventName = ["INSERT"] }
    error_message = "Lambda filters before it invokes."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.stream["history"].bisect_batch_on_function_error && aws_lambda_event_source_mapping.stream["history"].maximum_retry_attempts == -1 && aws_lambda_event_source_mapping.stream["history"].maximum_record_age_in_seconds == 82800 && aws_lambda_event_source_mapping.stream["history"].function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "A failed batch is halved, and a record is retried until the stream is about to drop it."
  }

  assert {
    condition     = module.dead_letter_bucket["dynamodb_stream"].name == "fraud-test-changes-dead-letter-123456789012" && aws_lambda_event_source_mapping.stream["history"].destination_config[0].on_failure[0].destination_arn == module.dead_letter_bucket["dynamodb_stream"].arn
    error_message = "The destination of failures is a bucket of the function's own, which gets the records' content."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.dead_letter["dynamodb_stream"].event_pattern).detail.bucket.name == ["fraud-test-changes-dead-letter-123456789012"] && aws_cloudwatch_event_target.dead_letter["dynamodb_stream"].arn == aws_sqs_queue.dead_letter.arn && jsondecode(aws_sqs_queue_policy.dead_letter.policy).Statement[1].Principal.Service == "events.amazonaws.com"
    error_message = "Each object of the bucket is announced in the dead-letter queue, whose alarm pages."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables["BUCKET"] == module.dead_letter_bucket["dynamodb_stream"].name && aws_lambda_function.this.environment[0].variables["QUEUE"] == aws_sqs_queue.dead_letter.url
    error_message = "The function knows its own queue and bucket."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.runtime.policy).Statement : statement.Action if statement.Sid == "DeadLetterWithContent"] == [["s3:ListBucket", "s3:PutObject"]]
    error_message = "Lambda writes to the bucket as the function."
  }

  assert {
    condition     = length(aws_lambda_function.this.vpc_config) == 0 && length([for statement in jsondecode(aws_iam_role_policy.runtime.policy).Statement : statement if contains(statement.Action, "ec2:CreateNetworkInterface")]) == 0
    error_message = "A function that needs neither cache nor brokers is not in the VPC and has no right to it."
  }

  assert {
    condition     = { for statement in jsondecode(aws_iam_role_policy.access["access"].policy).Statement : statement.Sid => statement.Resource[0] if endswith(statement.Sid, "AlertsKey") } == { ReadWithAlertsKey = "arn:aws:kms:us-east-1:123456789012:key/alerts", WriteWithAlertsKey = "arn:aws:kms:us-east-1:123456789012:key/alerts" }
    error_message = "Publishing to the encrypted topic needs the alerts key."
  }

  assert {
    condition     = !contains([for statement in jsondecode(aws_iam_role_policy.access["access"].policy).Statement : statement.Sid], "WriteWithDataKey")
    error_message = "DynamoDB creates its data keys itself."
  }
}

run "invoked_function_has_no_mapping_and_no_access" {
  command = apply

  module {
    source = "./modules/function"
  }

  variables {
    function                 = "helper_tool"
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = aws_lambda_function.this.function_name == "fraud-test-helper-tool" && length(aws_lambda_event_source_mapping.kafka) + length(aws_lambda_event_source_mapping.stream) + length(aws_iam_role_policy.access) == 0
    error_message = "It is created, without an event source."
  }

  assert {
    condition     = aws_iam_role.this.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    error_message = "The role has the boundary."
  }
}

run "a_request_that_must_not_be_kept_is_in_no_queue_and_is_not_tried_again" {
  command = apply

  module {
    source = "./modules/function"
  }

  variables {
    function = "secretive"
  }

  assert {
    condition     = length(aws_lambda_function.this.dead_letter_config) == 0 && aws_lambda_function_event_invoke_config.requests["invoke"].maximum_retry_attempts == 0
    error_message = "A failed request is discarded."
  }

  assert {
    condition     = output.dead_letter_queue_name == null
    error_message = "Nobody watches a queue that nothing fills."
  }

  assert {
    condition     = { for statement in jsondecode(aws_iam_role_policy.access["access"].policy).Statement : statement.Sid => { actions = statement.Action, resources = statement.Resource } } == { KeyTokenization = { actions = ["kms:GenerateMac"], resources = ["arn:aws:kms:us-east-1:123456789012:key/tokenization"] } }
    error_message = "Its code may compute with the key, and do nothing else."
  }
}

run "scheduled_function_is_invoked_by_its_own_rule_alone" {
  command = apply

  module {
    source = "./modules/function"
  }

  variables {
    function = "ticking"
  }

  assert {
    condition     = aws_cloudwatch_event_rule.schedule["ticking"].schedule_expression == "rate(5 minutes)" && aws_cloudwatch_event_rule.schedule["ticking"].state == "ENABLED"
    error_message = "The rule has the interval of function.yaml."
  }

  assert {
    condition     = aws_cloudwatch_event_target.schedule["ticking"].arn == aws_lambda_alias.live.arn && aws_lambda_permission.schedule["ticking"].qualifier == "live" && aws_lambda_permission.schedule["ticking"].principal == "events.amazonaws.com" && aws_lambda_permission.schedule["ticking"].source_arn == aws_cloudwatch_event_rule.schedule["ticking"].arn
    error_message = "It invokes the alias, which allows this rule and no other."
  }

  assert {
    condition     = aws_cloudwatch_event_target.schedule["ticking"].retry_policy[0].maximum_event_age_in_seconds == 300 && aws_lambda_function_event_invoke_config.requests["schedule"].maximum_event_age_in_seconds == 300 && aws_lambda_function_event_invoke_config.requests["schedule"].maximum_retry_attempts == 1
    error_message = "An event is tried as often and as long as function.yaml says."
  }

  assert {
    condition     = aws_lambda_function.this.dead_letter_config[0].target_arn == aws_sqs_queue.dead_letter.arn && length(aws_lambda_event_source_mapping.kafka) + length(aws_lambda_event_source_mapping.stream) == 0
    error_message = "An event that fails for good is kept, and no mapping reads for it."
  }

  assert {
    condition     = endswith(one([for statement in jsondecode(aws_iam_role_policy.access["access"].policy).Statement : one(statement.Resource) if statement.Sid == "TableHistoryByTime"]), "/index/by_time")
    error_message = "A right to an index is none to its table, and has a statement of its own."
  }

  assert {
    condition     = { for statement in jsondecode(aws_iam_role_policy.access["access"].policy).Statement : statement.Sid => try(statement.Condition, null) }["TableHistoryTicking"] == { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["ticking-*"] } }
    error_message = "With a prefix it may name no other partition keys of the table."
  }
}

run "queue_mapping_reads_with_partial_failures_and_sqs_dead_letters_after_the_last_delivery" {
  command = apply

  module {
    source = "./modules/function"
  }

  variables {
    function = "reading"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.queue["labels"].event_source_arn == var.targets.queues.labels.arn && aws_lambda_event_source_mapping.queue["labels"].function_name == aws_lambda_alias.live.arn
    error_message = "The mapping reads the queue for the alias."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.queue["labels"].batch_size == 10 && aws_lambda_event_source_mapping.queue["labels"].scaling_config[0].maximum_concurrency == 4 && aws_lambda_event_source_mapping.queue["labels"].function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "Batch, concurrency and partial failures are those of function.yaml."
  }

  assert {
    condition     = aws_sqs_queue_redrive_policy.source["labels"].queue_url == var.targets.queues.labels.url && jsondecode(aws_sqs_queue_redrive_policy.source["labels"].redrive_policy) == { deadLetterTargetArn = aws_sqs_queue.dead_letter.arn, maxReceiveCount = 500 }
    error_message = "A message that always fails is moved to the function's own dead-letter queue, whose alarm pages."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_redrive_allow_policy.dead_letter["labels"].redrive_allow_policy) == { redrivePermission = "byQueue", sourceQueueArns = [var.targets.queues.labels.arn] }
    error_message = "No other queue may use the dead-letter queue."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.queue_source["labels"].policy).Statement : statement.Sid => { actions = statement.Action, resources = statement.Resource } } == {
      ReadQueue          = { actions = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], resources = [var.targets.queues.labels.arn] }
      ReadQueueEncrypted = { actions = ["kms:Decrypt"], resources = [var.key_arns.data] }
    }
    error_message = "The mapping reads this queue and decrypts its messages."
  }

  assert {
    condition     = length(aws_lambda_event_source_mapping.kafka) + length(aws_lambda_event_source_mapping.stream) + length(aws_cloudwatch_event_rule.schedule) == 0
    error_message = "One function has one trigger."
  }
}

run "schedule_can_be_switched_off" {
  command = apply

  module {
    source = "./modules/function"
  }

  variables {
    function        = "ticking"
    enable_schedule = false
  }

  assert {
    condition     = aws_cloudwatch_event_rule.schedule["ticking"].state == "DISABLED"
    error_message = "The rule exists and sends nothing."
  }
}

run "other_requests_that_fail_are_kept" {
  command = apply

  module {
    source = "./modules/function"
  }

  assert {
    condition     = aws_lambda_function.this.dead_letter_config[0].target_arn == aws_sqs_queue.dead_letter.arn && length(aws_lambda_function_event_invoke_config.requests) == 0
    error_message = "A failed request is dead-lettered."
  }

  assert {
    condition     = output.dead_letter_queue_name == aws_sqs_queue.dead_letter.name
    error_message = "The queue can be watched."
  }
}

run "pollers_and_traces_can_be_left_out" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    enable_pollers = false
    enable_traces  = false
  }

  assert {
    condition     = alltrue([for mapping in aws_lambda_event_source_mapping.kafka : !mapping.enabled && length(mapping.provisioned_poller_config) == 1]) && length(aws_lambda_event_source_mapping.kafka) == 1
    error_message = "The mapping is disabled, and of the same mode: on-demand mode has no partial failures."
  }

  assert {
    condition     = aws_lambda_function.this.tracing_config[0].mode == "PassThrough"
    error_message = "No invocation is traced."
  }
}
