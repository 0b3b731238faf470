# A state machine that calls AWS and nothing else, the rules that run it, and a role for each. ingestion and history_export say what theirs
# does.

data "aws_caller_identity" "this" {}

locals {
  # No other account's rule or state machine uses the roles.
  trust = {
    for service in ["events.amazonaws.com", "states.amazonaws.com"] : service => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "OnlyForThisAccount"
        Effect    = "Allow"
        Principal = { Service = service }
        Action    = "sts:AssumeRole"
        Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id } }
      }]
    })
  }
}

resource "aws_sfn_state_machine" "this" {
  # checkov:skip=CKV_AWS_284:Its few calls pass no payment, and its history shows each with its time, so a trace adds nothing.
  # checkov:skip=CKV_AWS_285:Step Functions keeps the history of a standard execution for 90 days; a log would need rights on all log deliveries.
  name       = var.name
  role_arn   = aws_iam_role.this.arn
  definition = var.definition

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_iam_role" "this" {
  name                 = var.name
  description          = var.description
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = local.trust["states.amazonaws.com"]
}

resource "aws_iam_role_policy" "this" {
  name   = "calls"
  role   = aws_iam_role.this.id
  policy = var.policy
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = var.rules

  name                = "${var.name}-${each.key}"
  description         = each.value.description
  schedule_expression = each.value.schedule
  event_pattern       = each.value.event_pattern
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = aws_cloudwatch_event_rule.this

  rule     = each.value.name
  arn      = aws_sfn_state_machine.this.arn
  role_arn = aws_iam_role.rules.arn
}

resource "aws_iam_role" "rules" {
  name                 = "${var.name}-rules"
  description          = "The rules that run ${var.name}."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = local.trust["events.amazonaws.com"]
}

resource "aws_iam_role_policy" "rules" {
  name = "run-the-state-machine"
  role = aws_iam_role.rules.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "RunTheStateMachine"
      Effect   = "Allow"
      Action   = "states:StartExecution"
      Resource = aws_sfn_state_machine.this.arn
    }]
  })
}
