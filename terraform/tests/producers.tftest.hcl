# A producer writes to one topic, or sends labels to one queue, and does nothing else.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name = "fraud-test"
  kafka = {
    cluster_arn = "arn:aws:kafka:us-east-1:123456789012:cluster/fraud-test/0001-1"
    topic       = "transaction_stream"
    topic_arn   = "arn:aws:kafka:us-east-1:123456789012:topic/fraud-test/0001-1/transaction_stream"
  }
  producers = {
    cards = { principal_arns = ["arn:aws:iam::123456789012:role/card-authorisation"] }
    bank  = { principal_arns = ["arn:aws:iam::210987654321:role/core/payments"] }
  }
  label_producers = {
    disputes = { principal_arns = ["arn:aws:iam::210987654321:role/chargebacks"] }
    analysts = { principal_arns = ["arn:aws:iam::123456789012:role/fraud-analysts"] }
  }
  landing_bucket_arn = "arn:aws:s3:::fraud-test-landing"
  label_queue = {
    arn     = "arn:aws:sqs:us-east-1:123456789012:fraud-test-labels"
    key_arn = "arn:aws:kms:us-east-1:123456789012:key/data"
  }
}

run "each_producer_has_a_role_of_its_own" {
  command = apply

  module {
    source = "./modules/producers"
  }

  assert {
    condition     = { for name, role in aws_iam_role.this : name => role.name } == { bank = "fraud-test-producer-bank", cards = "fraud-test-producer-cards" } && keys(output.role_arns) == ["bank", "cards"]
    error_message = "One producer's sign-in can be withdrawn without the others'."
  }

  assert {
    condition     = one(jsondecode(aws_iam_role.this["cards"].assume_role_policy).Statement).Principal.AWS == ["arn:aws:iam::123456789012:role/card-authorisation"]
    error_message = "Its own principals take it on."
  }

  assert {
    condition     = one(jsondecode(aws_iam_role.this["bank"].assume_role_policy).Statement).Principal.AWS == ["arn:aws:iam::210987654321:role/core/payments"]
    error_message = "Also from another account."
  }
}

run "a_producer_writes_and_reads_nothing" {
  command = apply

  module {
    source = "./modules/producers"
  }

  assert {
    condition     = toset(flatten([for statement in jsondecode(aws_iam_role_policy.this["cards"].policy).Statement : statement.Action])) == toset(["kafka-cluster:Connect", "kafka-cluster:DescribeTopic", "kafka-cluster:WriteData", "kafka-cluster:WriteDataIdempotently"])
    error_message = "No ReadData, no group, no topic of its own."
  }

  assert {
    condition     = flatten([for statement in jsondecode(aws_iam_role_policy.this["cards"].policy).Statement : statement.Resource]) == [var.kafka.cluster_arn, var.kafka.topic_arn]
    error_message = "This cluster and this topic, without a wildcard."
  }
}

run "each_producer_of_labels_has_a_role_of_its_own" {
  command = apply

  module {
    source = "./modules/producers"
  }

  assert {
    condition     = { for name, role in aws_iam_role.labels : name => role.name } == { analysts = "fraud-test-labels-analysts", disputes = "fraud-test-labels-disputes" } && keys(output.label_role_arns) == ["analysts", "disputes"]
    error_message = "One producer's sign-in can be withdrawn without the others'."
  }

  assert {
    condition     = one(jsondecode(aws_iam_role.labels["disputes"].assume_role_policy).Statement).Principal.AWS == ["arn:aws:iam::210987654321:role/chargebacks"]
    error_message = "Its own principals take it on, also from another account."
  }
}

run "a_producer_of_labels_sends_to_one_queue_drops_files_in_its_folder_and_reads_nothing" {
  command = apply

  module {
    source = "./modules/producers"
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.labels["disputes"].policy).Statement : statement.Sid => { actions = statement.Action, resources = statement.Resource } } == {
      SendLabels          = { actions = ["sqs:SendMessage"], resources = [var.label_queue.arn] }
      SendLabelsEncrypted = { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [var.label_queue.key_arn] }
      DropFiles           = { actions = ["s3:PutObject"], resources = ["arn:aws:s3:::fraud-test-landing/labels/disputes/*"] }
      DropFilesEncrypted  = { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [var.label_queue.key_arn] }
    }
    error_message = "It sends, and neither receives nor deletes."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.labels["disputes"].policy).Statement : [for key, value in statement.Condition.StringEquals : value if key != "kms:ViaService"] if can(statement.Condition)] == [[var.label_queue.arn], [var.landing_bucket_arn]]
    error_message = "The key, which payments are encrypted with too, is used for messages of this queue alone."
  }
}

run "refuses_a_whole_account_as_producer_of_labels" {
  command = plan

  module {
    source = "./modules/producers"
  }

  variables {
    label_producers = { disputes = { principal_arns = ["arn:aws:iam::210987654321:root"] } }
  }

  expect_failures = [var.label_producers]
}

run "refuses_a_producer_of_labels_without_principals" {
  command = plan

  module {
    source = "./modules/producers"
  }

  variables {
    label_producers = { disputes = { principal_arns = [] } }
  }

  expect_failures = [var.label_producers]
}

run "refuses_a_producer_of_labels_in_capitals" {
  command = plan

  module {
    source = "./modules/producers"
  }

  variables {
    label_producers = { Disputes = { principal_arns = ["arn:aws:iam::210987654321:role/chargebacks"] } }
  }

  expect_failures = [var.label_producers]
}

run "without_producers_there_is_no_role" {
  command = plan

  module {
    source = "./modules/producers"
  }

  variables {
    producers       = {}
    label_producers = {}
  }

  assert {
    condition     = length(aws_iam_role.this) + length(aws_iam_role.labels) == 0
    error_message = "Nobody but the system itself writes to the topic and to the queue."
  }
}

run "refuses_a_name_in_capitals" {
  command = plan

  module {
    source = "./modules/producers"
  }

  variables {
    name = "Fraud"
  }

  expect_failures = [var.name]
}

run "refuses_a_producer_in_capitals" {
  command = plan

  module {
    source = "./modules/producers"
  }

  variables {
    producers = { Cards = { principal_arns = ["arn:aws:iam::123456789012:role/card-authorisation"] } }
  }

  expect_failures = [var.producers]
}

run "refuses_a_producer_without_principals" {
  command = plan

  module {
    source = "./modules/producers"
  }

  variables {
    producers = { cards = { principal_arns = [] } }
  }

  expect_failures = [var.producers]
}

run "refuses_a_whole_account" {
  command = plan

  module {
    source = "./modules/producers"
  }

  variables {
    producers = { cards = { principal_arns = ["arn:aws:iam::210987654321:root"] } }
  }

  expect_failures = [var.producers]
}
