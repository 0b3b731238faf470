# A trigger of type `schedule`: a rule of EventBridge with a rate, which invokes the function asynchronously, at least once each time. The
# rule sends the next event whether or not the function still works on the last one; `reserved_concurrency: 1` makes it wait.

locals {
  schedules = { for trigger in [local.trigger] : var.function => trigger if trigger.type == "schedule" }
}

resource "aws_cloudwatch_event_rule" "schedule" {
  for_each = local.schedules

  name                = local.function_name
  description         = "Runs ${local.function_name}: ${local.spec.description}"
  schedule_expression = "rate(${each.value.every_minutes} ${each.value.every_minutes == 1 ? "minute" : "minutes"})"
  state               = var.enable_schedule ? "ENABLED" : "DISABLED"
}

resource "aws_cloudwatch_event_target" "schedule" {
  for_each = aws_cloudwatch_event_rule.schedule

  rule = each.value.name
  arn  = aws_lambda_alias.live.arn

  # Of handing the event over to Lambda, which then has its own limits. An event that EventBridge cannot hand over holds nothing that
  # must be kept: the next one replaces it, and the alarm on a missing heartbeat reports that none comes.
  retry_policy {
    maximum_event_age_in_seconds = local.schedules[each.key].maximum_event_age_seconds
    maximum_retry_attempts       = 185 # EventBridge's default
  }

  depends_on = [aws_lambda_permission.schedule]
}

resource "aws_lambda_permission" "schedule" {
  for_each = aws_cloudwatch_event_rule.schedule

  statement_id  = "ScheduleInvokes"
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = each.value.arn
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
}
