# A topic for people and systems; messages that cannot be delivered are logged and stored.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                = "fraud-test"
  topic               = "fraud-alerts"
  display_name        = "Fraud"
  alerts_key_arn      = "arn:aws:kms:us-east-1:123456789012:key/alerts"
  logs_key_arn        = "arn:aws:kms:us-east-1:123456789012:key/logs"
  log_retention_days  = 30
  publishing_services = ["cloudwatch.amazonaws.com"]
  subscriptions = {
    analysts = { protocol = "email", endpoint = "fraud@example.com" }
    on-call  = { protocol = "sms", endpoint = "+4915112345678", filter_policy = { severity = ["critical"] } }
    cases    = { protocol = "sqs", endpoint = "arn:aws:sqs:us-east-1:123456789012:cases", raw = true, redrive_queue_arn = "arn:aws:sqs:us-east-1:123456789012:cases-redrive" }
  }
}

run "the_topic_is_encrypted_signed_and_logged" {
  command = apply

  module {
    source = "./modules/alert_topic"
  }

  assert {
    condition     = aws_sns_topic.this.name == "fraud-test-fraud-alerts" && aws_sns_topic.this.kms_master_key_id == var.alerts_key_arn && aws_sns_topic.this.signature_version == 2
    error_message = "The topic has the customer key, and signs with SHA-256."
  }

  assert {
    condition     = alltrue([for arn in [aws_sns_topic.this.http_failure_feedback_role_arn, aws_sns_topic.this.sqs_failure_feedback_role_arn, aws_sns_topic.this.lambda_failure_feedback_role_arn, aws_sns_topic.this.firehose_failure_feedback_role_arn] : arn == output.delivery_role_arn])
    error_message = "Failed deliveries are logged for every protocol."
  }

  assert {
    condition     = { for outcome, group in aws_cloudwatch_log_group.delivery : outcome => group.name } == { failure = "sns/us-east-1/123456789012/fraud-test-fraud-alerts/Failure", success = "sns/us-east-1/123456789012/fraud-test-fraud-alerts" }
    error_message = "The groups have the names that SNS writes to."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.delivery : group.kms_key_id == var.logs_key_arn && group.retention_in_days == 30])
    error_message = "The groups have the logs key and a retention."
  }
}

run "this_account_and_named_services_publish_over_tls" {
  command = apply

  module {
    source = "./modules/alert_topic"
  }

  assert {
    condition     = { for statement in jsondecode(aws_sns_topic_policy.this.policy).Statement : statement.Sid => statement }["PublishCloudwatch"].Principal.Service == "cloudwatch.amazonaws.com" && { for statement in jsondecode(aws_sns_topic_policy.this.policy).Statement : statement.Sid => statement }["PublishCloudwatch"].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "Alarms of this account publish."
  }

  assert {
    condition     = { for statement in jsondecode(aws_sns_topic_policy.this.policy).Statement : statement.Sid => statement }["TlsOnly"].Effect == "Deny" && { for statement in jsondecode(aws_sns_topic_policy.this.policy).Statement : statement.Sid => statement }["TlsOnly"].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "Nobody publishes without TLS."
  }

  assert {
    condition     = { for statement in jsondecode(aws_sns_topic_policy.this.policy).Statement : statement.Sid => statement }["ThisAccountByIam"].Principal.AWS == "arn:aws:iam::123456789012:root"
    error_message = "Nobody else may publish."
  }
}

run "each_subscription_has_its_filter_and_its_queue" {
  command = apply

  module {
    source = "./modules/alert_topic"
  }

  assert {
    condition     = aws_sns_topic_subscription.this["on-call"].filter_policy == jsonencode({ severity = ["critical"] }) && aws_sns_topic_subscription.this["on-call"].filter_policy_scope == "MessageAttributes" && aws_sns_topic_subscription.this["analysts"].filter_policy == null
    error_message = "A filter policy selects messages; without one, all are sent."
  }

  assert {
    condition     = aws_sns_topic_subscription.this["cases"].raw_message_delivery && !aws_sns_topic_subscription.this["analysts"].raw_message_delivery
    error_message = "Systems can get messages without the envelope."
  }

  assert {
    condition     = toset(keys(aws_sqs_queue.redrive)) == toset(["analysts", "on-call"]) && jsondecode(aws_sns_topic_subscription.this["cases"].redrive_policy).deadLetterTargetArn == "arn:aws:sqs:us-east-1:123456789012:cases-redrive"
    error_message = "A queue is created if the subscriber has none."
  }

  assert {
    condition     = alltrue([for queue in aws_sqs_queue.redrive : queue.kms_master_key_id == var.alerts_key_arn && queue.message_retention_seconds == 1209600]) && aws_sqs_queue.redrive["on-call"].name == "fraud-test-fraud-alerts-on-call-redrive"
    error_message = "Queues have the alerts key and keep messages for 14 days."
  }

  assert {
    condition     = alltrue([for policy in aws_sqs_queue_policy.redrive : jsondecode(policy.policy).Statement[0].Condition.ArnEquals["aws:SourceArn"] == aws_sns_topic.this.arn && jsondecode(policy.policy).Statement[1].Effect == "Deny"])
    error_message = "Only this topic fills them, over TLS."
  }

  assert {
    condition     = toset([for statement in jsondecode(aws_iam_role_policy.delivery_log.policy).Statement : statement.Sid]) == toset(["WriteDeliveryLogs", "WriteSmsDeliveryLogs"])
    error_message = "SMS deliveries are logged if there is an SMS subscriber."
  }
}

run "without_sms_there_is_no_sms_log" {
  command = apply

  module {
    source = "./modules/alert_topic"
  }

  variables {
    subscriptions            = {}
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = toset([for statement in jsondecode(aws_iam_role_policy.delivery_log.policy).Statement : statement.Sid]) == toset(["WriteDeliveryLogs"])
    error_message = "The role allows writing to exactly these groups."
  }

  assert {
    condition     = aws_iam_role.delivery_log.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary" && aws_iam_role.delivery_log.name == "fraud-test-fraud-alerts-delivery-log"
    error_message = "The role has the boundary and the prefix."
  }

  assert {
    condition     = length(output.redrive_queues) == 0
    error_message = "Without subscriptions there are no queues."
  }
}

run "refuses_a_name_in_capitals" {
  command = plan

  module {
    source = "./modules/alert_topic"
  }

  variables {
    name = "Fraud"
  }

  expect_failures = [var.name]
}

run "refuses_a_topic_of_another_form" {
  command = plan

  module {
    source = "./modules/alert_topic"
  }

  variables {
    topic = "Fraud Alerts"
  }

  expect_failures = [var.topic]
}

run "refuses_a_sender_without_a_name" {
  command = plan

  module {
    source = "./modules/alert_topic"
  }

  variables {
    display_name = ""
  }

  expect_failures = [var.display_name]
}

run "refuses_a_publisher_that_is_not_a_service" {
  command = plan

  module {
    source = "./modules/alert_topic"
  }

  variables {
    publishing_services = ["*"]
  }

  expect_failures = [var.publishing_services]
}

run "every_subscription_filters_out_the_canary" {
  command = apply

  module {
    source = "./modules/alert_topic"
  }

  variables {
    has_canary = true
  }

  assert {
    condition     = alltrue([for subscription in values(aws_sns_topic_subscription.this) : jsondecode(subscription.filter_policy).canary[0].exists == false && subscription.filter_policy_scope == "MessageAttributes"])
    error_message = "The canary's messages are for its own queue."
  }

  assert {
    condition     = jsondecode(aws_sns_topic_subscription.this["on-call"].filter_policy).severity == ["critical"]
    error_message = "A subscription keeps its own filter beside it."
  }
}

run "refuses_a_filter_of_the_canary_s_attribute" {
  command = plan

  module {
    source = "./modules/alert_topic"
  }

  variables {
    subscriptions = { "one" = { protocol = "email", endpoint = "a@example.com", filter_policy = { canary = ["true"] } } }
  }

  expect_failures = [var.subscriptions]
}

run "refuses_more_attributes_than_sns_takes_beside_the_canary_s" {
  command = plan

  module {
    source = "./modules/alert_topic"
  }

  variables {
    subscriptions = { "one" = { protocol = "email", endpoint = "a@example.com", filter_policy = { a = ["1"], b = ["1"], c = ["1"], d = ["1"], e = ["1"] } } }
  }

  expect_failures = [var.subscriptions]
}

run "refuses_a_subscription_with_a_strange_name" {
  command = plan

  module {
    source = "./modules/alert_topic"
  }

  variables {
    subscriptions = { "On call" = { protocol = "email", endpoint = "a@example.com" } }
  }

  expect_failures = [var.subscriptions]
}

run "refuses_a_protocol_without_encryption" {
  command = plan

  module {
    source = "./modules/alert_topic"
  }

  variables {
    subscriptions = { "one" = { protocol = "http", endpoint = "http://example.com/alerts" } }
  }

  expect_failures = [var.subscriptions]
}

run "refuses_a_number_without_its_country" {
  command = plan

  module {
    source = "./modules/alert_topic"
  }

  variables {
    subscriptions = { "one" = { protocol = "sms", endpoint = "0151 12345678" } }
  }

  expect_failures = [var.subscriptions]
}

run "refuses_a_url_without_encryption" {
  command = plan

  module {
    source = "./modules/alert_topic"
  }

  variables {
    subscriptions = { "one" = { protocol = "https", endpoint = "http://example.com" } }
  }

  expect_failures = [var.subscriptions]
}

run "refuses_raw_messages_by_mail" {
  command = plan

  module {
    source = "./modules/alert_topic"
  }

  variables {
    subscriptions = { "one" = { protocol = "email", endpoint = "a@example.com", raw = true } }
  }

  expect_failures = [var.subscriptions]
}

run "refuses_firehose_without_its_role" {
  command = plan

  module {
    source = "./modules/alert_topic"
  }

  variables {
    subscriptions = { "one" = { protocol = "firehose", endpoint = "arn:aws:firehose:us-east-1:123456789012:deliverystream/a" } }
  }

  expect_failures = [var.subscriptions]
}

run "refuses_a_sample_above_all" {
  command = plan

  module {
    source = "./modules/alert_topic"
  }

  variables {
    success_sample_percent = 101
  }

  expect_failures = [var.success_sample_percent]
}
