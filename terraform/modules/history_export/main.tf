# The history beyond the table's time to live: every second month DynamoDB exports the whole table, as it was at that moment, to a
# bucket (decision 0020).

data "aws_caller_identity" "this" {}

locals {
  # A row lives for two intervals at least, so it is in two exports: one that fails loses nothing.
  interval_months = 2
  prefix          = "exports/"

  definition = {
    Comment        = "Export ${var.table.name} and wait for the end: DynamoDB reports a failure nowhere else."
    TimeoutSeconds = 3 * 24 * 3600
    StartAt        = "Export"
    States         = module.table_export.states
  }

  policy = { Version = "2012-10-17", Statement = module.table_export.statements }
}

module "table_export" {
  source = "../table_export"

  table_arns   = [var.table.arn]
  request      = jsonencode({ TableArn = var.table.arn, S3Prefix = trimsuffix(local.prefix, "/") })
  bucket       = { name = module.bucket.name, arn = module.bucket.arn }
  prefix       = local.prefix
  data_key_arn = var.data_key_arn
  poll_seconds = 900 # it takes hours, and nobody waits
  max_retries  = 5
}

module "state_machine" {
  source = "../state_machine"

  name                     = "${var.name}-export-history"
  description              = "Exports ${var.table.name} to ${module.bucket.name}."
  definition               = jsonencode(local.definition)
  policy                   = jsonencode(local.policy)
  permissions_boundary_arn = var.permissions_boundary_arn

  rules = {
    every-second-month = {
      description = "Exports ${var.table.name} on the first of every second month."
      schedule    = "cron(0 3 1 1/${local.interval_months} ? *)"
    }
  }
}

# Addresses of states from before the module `state_machine`. The rule and its role have new names, so they are replaced.
moved {
  from = aws_sfn_state_machine.this
  to   = module.state_machine.aws_sfn_state_machine.this
}

moved {
  from = aws_cloudwatch_event_rule.this
  to   = module.state_machine.aws_cloudwatch_event_rule.this["every-second-month"]
}

moved {
  from = aws_cloudwatch_event_target.this
  to   = module.state_machine.aws_cloudwatch_event_target.this["every-second-month"]
}

moved {
  from = aws_iam_role.this
  to   = module.state_machine.aws_iam_role.this
}

moved {
  from = aws_iam_role_policy.this
  to   = module.state_machine.aws_iam_role_policy.this
}

moved {
  from = aws_iam_role.rule
  to   = module.state_machine.aws_iam_role.rules
}

moved {
  from = aws_iam_role_policy.rule
  to   = module.state_machine.aws_iam_role_policy.rules
}
