# A state machine, the rules that run it, and the roles of both.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                     = "fraud-test-look"
  description              = "Looks."
  definition               = jsonencode({ StartAt = "Look", States = { Look = { Type = "Succeed" } } })
  policy                   = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "glue:GetJobRuns", Resource = "arn:aws:glue:us-east-1:123456789012:job/fraud-test" }] })
  permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"

  rules = {
    ended   = { description = "A run ended.", event_pattern = jsonencode({ source = ["aws.glue"] }) }
    monthly = { description = "Each month.", schedule = "cron(0 3 1 * ? *)" }
  }
}

run "its_rules_run_it_and_nothing_else" {
  command = apply

  module {
    source = "./modules/state_machine"
  }

  assert {
    condition     = { for key, rule in aws_cloudwatch_event_rule.this : rule.name => "${coalesce(rule.schedule_expression, "on")} ${coalesce(rule.event_pattern, "schedule")}" } == { fraud-test-look-ended = "on {\"source\":[\"aws.glue\"]}", fraud-test-look-monthly = "cron(0 3 1 * ? *) schedule" }
    error_message = "A rule has a schedule or a pattern."
  }

  assert {
    condition     = length(aws_cloudwatch_event_target.this) == 2 && alltrue([for target in aws_cloudwatch_event_target.this : target.arn == aws_sfn_state_machine.this.arn && target.role_arn == aws_iam_role.rules.arn])
    error_message = "Every rule runs the state machine."
  }

  assert {
    condition     = one(jsondecode(aws_iam_role_policy.rules.policy).Statement).Action == "states:StartExecution" && one(jsondecode(aws_iam_role_policy.rules.policy).Statement).Resource == aws_sfn_state_machine.this.arn
    error_message = "The rules may run this state machine alone."
  }

  assert {
    condition     = aws_sfn_state_machine.this.definition == var.definition && aws_sfn_state_machine.this.role_arn == aws_iam_role.this.arn && aws_iam_role_policy.this.policy == var.policy
    error_message = "It does what its definition says, with the rights that it was given."
  }

  assert {
    condition = { for role in [aws_iam_role.this, aws_iam_role.rules] : role.name => "${one(jsondecode(role.assume_role_policy).Statement).Principal.Service} ${one(jsondecode(role.assume_role_policy).Statement).Condition.StringEquals["aws:SourceAccount"]} ${role.permissions_boundary}" } == {
      fraud-test-look       = "states.amazonaws.com 123456789012 arn:aws:iam::123456789012:policy/boundary"
      fraud-test-look-rules = "events.amazonaws.com 123456789012 arn:aws:iam::123456789012:policy/boundary"
    }
    error_message = "No other account's rule or state machine uses the roles, and the boundary limits both."
  }
}

run "without_a_rule_it_runs_by_hand_only" {
  command = plan

  module {
    source = "./modules/state_machine"
  }

  variables {
    rules = {}
  }

  assert {
    condition     = length(aws_cloudwatch_event_rule.this) + length(aws_cloudwatch_event_target.this) == 0 && output.rule_names == []
    error_message = "Nothing runs it."
  }
}

run "refuses_a_rule_without_a_reason" {
  command = plan

  module {
    source = "./modules/state_machine"
  }

  variables {
    rules = { never = { description = "Never." } }
  }

  expect_failures = [var.rules]
}

run "refuses_a_name_that_is_too_long_for_its_roles" {
  command = plan

  module {
    source = "./modules/state_machine"
  }

  variables {
    name = "fraud-test-fifty-nine-letters-are-one-more-than-a-role-takes"
  }

  expect_failures = [var.name]
}
