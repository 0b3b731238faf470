# Tables as defined in functions/contract/tables.yaml.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                       = "fraud-test"
  data_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/data"
  enable_deletion_protection = true
  definitions = {
    transaction_history = {
      description            = "History."
      partition_key          = { name = "user_id", type = "S" }
      sort_key               = { name = "event_key", type = "S" }
      stream_view            = "NEW_IMAGE"
      time_to_live_attribute = "expires_at"
      table_class            = "STANDARD_INFREQUENT_ACCESS"
    }
    flagged_transactions = {
      description   = "Flagged."
      partition_key = { name = "transaction_id", type = "S" }
      indexes = {
        by_status = {
          partition_key = { name = "status", type = "S" }
          sort_key      = { name = "occurred_at", type = "S" }
          projection    = "INCLUDE"
          attributes    = ["amount"]
        }
      }
    }
  }
}

run "keys_stream_and_time_to_live_are_as_defined" {
  command = apply

  module {
    source = "./modules/tables"
  }

  assert {
    condition     = { for name, table in aws_dynamodb_table.this : name => table.name } == { flagged_transactions = "fraud-test-flagged_transactions", transaction_history = "fraud-test-transaction_history" }
    error_message = "Names are the interface names, with the environment's name as prefix."
  }

  assert {
    condition     = aws_dynamodb_table.this["transaction_history"].hash_key == "user_id" && aws_dynamodb_table.this["transaction_history"].range_key == "event_key"
    error_message = "Keys are as defined."
  }

  assert {
    condition     = toset([for attribute in aws_dynamodb_table.this["flagged_transactions"].attribute : attribute.name]) == toset(["occurred_at", "status", "transaction_id"])
    error_message = "Keys of tables and indexes are declared, and nothing else."
  }

  assert {
    condition     = aws_dynamodb_table.this["transaction_history"].stream_enabled && aws_dynamodb_table.this["transaction_history"].stream_view_type == "NEW_IMAGE" && !aws_dynamodb_table.this["flagged_transactions"].stream_enabled
    error_message = "A table has a stream if one is defined."
  }

  assert {
    condition     = aws_dynamodb_table.this["transaction_history"].ttl[0].attribute_name == "expires_at" && length(aws_dynamodb_table.this["flagged_transactions"].ttl) == 0
    error_message = "A table has a time to live if one is defined."
  }

  assert {
    condition     = one(aws_dynamodb_table.this["flagged_transactions"].global_secondary_index).name == "by_status" && one(aws_dynamodb_table.this["flagged_transactions"].global_secondary_index).range_key == "occurred_at" && one(aws_dynamodb_table.this["flagged_transactions"].global_secondary_index).non_key_attributes == toset(["amount"])
    error_message = "Indexes are as defined."
  }

  assert {
    condition     = output.tables["transaction_history"].stream_arn != null && output.tables["flagged_transactions"].stream_arn == null
    error_message = "The output has the ARN of a table's stream; null without one."
  }
}

run "every_table_is_encrypted_recoverable_and_protected" {
  command = apply

  module {
    source = "./modules/tables"
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : table.server_side_encryption[0].enabled && table.server_side_encryption[0].kms_key_arn == var.data_key_arn])
    error_message = "Tables have the customer key."
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : table.point_in_time_recovery[0].enabled && table.point_in_time_recovery[0].recovery_period_in_days == 35])
    error_message = "A table can be restored to any second of 35 days."
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : table.deletion_protection_enabled])
    error_message = "Nobody deletes a table by mistake."
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : table.billing_mode == "PAY_PER_REQUEST"]) && length(aws_appautoscaling_target.capacity) == 0
    error_message = "On demand by default."
  }
}

run "provisioned_capacity_follows_the_load" {
  command = apply

  module {
    source = "./modules/tables"
  }

  variables {
    provisioned_capacity = { transaction_history = { read_minimum = 10, read_maximum = 100, write_minimum = 20, write_maximum = 200, target_percent = 70 } }
  }

  assert {
    condition     = aws_dynamodb_table.this["transaction_history"].billing_mode == "PROVISIONED" && aws_dynamodb_table.this["flagged_transactions"].billing_mode == "PAY_PER_REQUEST"
    error_message = "Only the named table is provisioned."
  }

  assert {
    condition     = { for name, target in aws_appautoscaling_target.capacity : name => "${target.resource_id} ${target.min_capacity} ${target.max_capacity}" } == { "transaction_history/read" = "table/fraud-test-transaction_history 10 100", "transaction_history/write" = "table/fraud-test-transaction_history 20 200" }
    error_message = "Reads and writes scale between their own minimum and maximum."
  }

  assert {
    condition     = alltrue([for policy in aws_appautoscaling_policy.capacity : policy.target_tracking_scaling_policy_configuration[0].target_value == 70])
    error_message = "The target use is 70 %."
  }
}

run "an_environment_may_leave_its_tables_unprotected" {
  command = apply

  module {
    source = "./modules/tables"
  }

  variables {
    enable_deletion_protection = false
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : !table.deletion_protection_enabled])
    error_message = "Without deletion protection, destroy removes the tables."
  }
}

run "a_table_that_is_mostly_storage_is_of_the_class_for_it" {
  command = apply

  module {
    source = "./modules/tables"
  }

  assert {
    condition     = { for name, table in aws_dynamodb_table.this : name => table.table_class } == { transaction_history = "STANDARD_INFREQUENT_ACCESS", flagged_transactions = "STANDARD" }
    error_message = "The class is the definition's, and DynamoDB's default without one."
  }
}

run "refuses_an_unknown_table_class" {
  command = plan

  module {
    source = "./modules/tables"
  }

  variables {
    definitions = {
      cases = {
        description   = "Cases."
        partition_key = { name = "id", type = "S" }
        table_class   = "GLACIER"
      }
    }
  }

  expect_failures = [var.definitions]
}

run "refuses_a_name_in_capitals" {
  command = plan

  module {
    source = "./modules/tables"
  }

  variables {
    name = "Fraud"
  }

  expect_failures = [var.name]
}

run "refuses_an_unknown_stream_view" {
  command = plan

  module {
    source = "./modules/tables"
  }

  variables {
    definitions = { odd = { description = "Odd.", partition_key = { name = "id", type = "S" }, stream_view = "EVERYTHING" } }
  }

  expect_failures = [var.definitions]
}

run "refuses_an_index_that_names_attributes_without_including_them" {
  command = plan

  module {
    source = "./modules/tables"
  }

  variables {
    definitions = { odd = { description = "Odd.", partition_key = { name = "id", type = "S" }, indexes = { by_id = { partition_key = { name = "id", type = "S" }, projection = "KEYS_ONLY", attributes = ["amount"] } } } }
  }

  expect_failures = [var.definitions]
}

run "refuses_an_index_that_includes_attributes_without_naming_them" {
  command = plan

  module {
    source = "./modules/tables"
  }

  variables {
    definitions = { odd = { description = "Odd.", partition_key = { name = "id", type = "S" }, indexes = { by_id = { partition_key = { name = "id", type = "S" }, projection = "INCLUDE" } } } }
  }

  expect_failures = [var.definitions]
}

run "refuses_capacity_for_an_unknown_table" {
  command = plan

  module {
    source = "./modules/tables"
  }

  variables {
    provisioned_capacity = { history = { read_minimum = 1, read_maximum = 1, write_minimum = 1, write_maximum = 1, target_percent = 70 } }
  }

  expect_failures = [var.provisioned_capacity]
}

run "indexes_of_a_provisioned_table_have_fixed_capacity" {
  command = plan

  module {
    source = "./modules/tables"
  }

  variables {
    provisioned_capacity = { flagged_transactions = { read_minimum = 1, read_maximum = 1, write_minimum = 1, write_maximum = 1, target_percent = 70, indexes = { by_status = { read = 5, write = 100 } } } }
  }

  assert {
    condition     = alltrue([for index in aws_dynamodb_table.this["flagged_transactions"].global_secondary_index : index.write_capacity == 100 && index.read_capacity == 5])
    error_message = "An index has the capacity that it is given."
  }
}

run "refuses_capacity_without_that_of_the_indexes" {
  command = plan

  module {
    source = "./modules/tables"
  }

  variables {
    provisioned_capacity = { flagged_transactions = { read_minimum = 1, read_maximum = 1, write_minimum = 1, write_maximum = 1, target_percent = 70 } }
  }

  expect_failures = [var.provisioned_capacity]
}

run "refuses_a_maximum_below_the_minimum" {
  command = plan

  module {
    source = "./modules/tables"
  }

  variables {
    provisioned_capacity = { transaction_history = { read_minimum = 10, read_maximum = 9, write_minimum = 20, write_maximum = 200, target_percent = 70 } }
  }

  expect_failures = [var.provisioned_capacity]
}

run "refuses_a_target_that_dynamodb_does_not_allow" {
  command = plan

  module {
    source = "./modules/tables"
  }

  variables {
    provisioned_capacity = { transaction_history = { read_minimum = 10, read_maximum = 100, write_minimum = 20, write_maximum = 200, target_percent = 95 } }
  }

  expect_failures = [var.provisioned_capacity]
}

run "refuses_a_longer_recovery_than_dynamodb_allows" {
  command = plan

  module {
    source = "./modules/tables"
  }

  variables {
    recovery_days = 36
  }

  expect_failures = [var.recovery_days]
}

run "an_on_demand_table_has_a_cap_and_a_provisioned_one_has_none" {
  command = plan
  module {
    source = "./modules/tables"
  }
  variables {
    on_demand_maximum    = { read_units = 2000, write_units = 1000 }
    provisioned_capacity = { transaction_history = { read_minimum = 5, read_maximum = 50, write_minimum = 5, write_maximum = 50 } }
  }
  assert {
    condition     = aws_dynamodb_table.this["flagged_transactions"].on_demand_throughput[0].max_read_request_units == 2000 && aws_dynamodb_table.this["flagged_transactions"].on_demand_throughput[0].max_write_request_units == 1000
    error_message = "A loop costs no more than the cap."
  }
  assert {
    condition     = alltrue([for index in aws_dynamodb_table.this["flagged_transactions"].global_secondary_index : index.on_demand_throughput[0].max_write_request_units == 1000])
    error_message = "An index is written with its table, and has its own cap."
  }
  assert {
    condition     = length(aws_dynamodb_table.this["transaction_history"].on_demand_throughput) == 0
    error_message = "Provisioned capacity is a cap of its own."
  }
}

run "without_a_cap_the_accounts_quota_applies" {
  command = plan
  module {
    source = "./modules/tables"
  }
  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : length(table.on_demand_throughput) == 0])
    error_message = "No cap by default."
  }
}

run "refuses_half_a_request_unit" {
  command = plan
  module {
    source = "./modules/tables"
  }
  variables { on_demand_maximum = { read_units = 0.5, write_units = 1000 } }
  expect_failures = [var.on_demand_maximum]
}
