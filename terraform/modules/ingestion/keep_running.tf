# Keeps the streaming job running: a state machine looks for a run, and starts one only if there is none. A scheduled trigger of Glue
# cannot look first. Each of its starts beside a running job is a run with the state FAILED ("AWS Glue job run statuses": the job
# exceeded its maximum allowed concurrent runs), 288 a day, and hides the failure that matters.

locals {
  # A run that waits for resources or stops still holds the checkpoint.
  active_states = ["STARTING", "RUNNING", "STOPPING", "WAITING"]

  keep_running = {
    Comment = "Start ${aws_glue_job.this.name} if no run of it is active."
    StartAt = "LetGlueRestartIt"
    States = {
      # In its maintenance window Glue restarts the job itself.
      LetGlueRestartIt = {
        Type    = "Wait"
        Seconds = 60
        Next    = "FindActiveRun"
      }
      # Newest runs first. Several, because a run that somebody started beside the active one is newer than it.
      FindActiveRun = {
        Type           = "Task"
        Resource       = "arn:${local.partition}:states:::aws-sdk:glue:getJobRuns"
        Parameters     = { JobName = aws_glue_job.this.name, MaxResults = 10 }
        ResultSelector = { for state in local.active_states : "${state}.$" => "States.ArrayContains($.JobRuns[*].JobRunState, '${state}')" }
        Retry          = [{ ErrorEquals = ["States.TaskFailed"], IntervalSeconds = 10, MaxAttempts = 3, BackoffRate = 2 }]
        Next           = "IsOneActive"
      }
      IsOneActive = {
        Type = "Choice"
        Choices = [{
          Or   = [for state in local.active_states : { Variable = "$.${state}", BooleanEquals = true }]
          Next = "ItRuns"
        }]
        Default = "StartIt"
      }
      StartIt = {
        Type       = "Task"
        Resource   = "arn:${local.partition}:states:::glue:startJobRun"
        Parameters = { JobName = aws_glue_job.this.name }
        # The other rule, or somebody by hand, was faster.
        Catch = [{ ErrorEquals = ["Glue.ConcurrentRunsExceededException"], Next = "ItRuns" }]
        Next  = "ItRuns"
      }
      ItRuns = { Type = "Succeed" }
    }
  }

  # Why the state machine runs. Glue delivers its events with best effort, so a missed one must not stop ingestion.
  keep_running_rules = {
    ended = {
      description   = "A run of ${aws_glue_job.this.name} ended, whatever the reason."
      schedule      = null
      event_pattern = { source = ["aws.glue"], "detail-type" = ["Glue Job State Change"], detail = { jobName = [aws_glue_job.this.name], state = ["FAILED", "STOPPED", "SUCCEEDED", "TIMEOUT"] } }
    }
    regularly = {
      description   = "Looks for a run of ${aws_glue_job.this.name} although no event came, and starts the first one."
      schedule      = "rate(5 minutes)"
      event_pattern = null
    }
  }
}

resource "aws_sfn_state_machine" "keep_running" {
  # checkov:skip=CKV_AWS_284:It calls Glue twice and passes no payment; its history shows each call with its time, so a trace adds nothing.
  # checkov:skip=CKV_AWS_285:Step Functions keeps the history of a standard execution for 90 days; a log would need rights on all log deliveries.
  name       = "${var.name}-keep-ingestion-running"
  role_arn   = aws_iam_role.keep_running.arn
  definition = jsonencode(local.keep_running)

  depends_on = [aws_iam_role_policy.keep_running]
}

resource "aws_cloudwatch_event_rule" "keep_running" {
  for_each = { for name, rule in local.keep_running_rules : name => rule if var.enable_keep_running }

  name                = "${var.name}-keep-ingestion-running-${each.key}"
  description         = each.value.description
  schedule_expression = each.value.schedule
  event_pattern       = each.value.event_pattern == null ? null : jsonencode(each.value.event_pattern)
}

resource "aws_cloudwatch_event_target" "keep_running" {
  for_each = aws_cloudwatch_event_rule.keep_running

  rule     = each.value.name
  arn      = aws_sfn_state_machine.keep_running.arn
  role_arn = aws_iam_role.keep_running_rules.arn
}

resource "aws_iam_role" "keep_running" {
  name                 = "${var.name}-keep-ingestion-running"
  description          = "The state machine that starts ${aws_glue_job.this.name} if it does not run."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = jsonencode(local.assumed_by["states.amazonaws.com"])
}

resource "aws_iam_role_policy" "keep_running" {
  name = "start-if-absent"
  role = aws_iam_role.keep_running.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "FindAndStartTheJob"
      Effect   = "Allow"
      Action   = ["glue:GetJobRuns", "glue:StartJobRun"]
      Resource = local.job_arn
    }]
  })
}

resource "aws_iam_role" "keep_running_rules" {
  name                 = "${var.name}-keep-ingestion-running-rules"
  description          = "The rules that run ${var.name}-keep-ingestion-running."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = jsonencode(local.assumed_by["events.amazonaws.com"])
}

resource "aws_iam_role_policy" "keep_running_rules" {
  name = "run-the-state-machine"
  role = aws_iam_role.keep_running_rules.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "RunTheStateMachine"
      Effect   = "Allow"
      Action   = "states:StartExecution"
      Resource = aws_sfn_state_machine.keep_running.arn
    }]
  })
}

locals {
  job_arn = "arn:${local.partition}:glue:${local.region}:${local.account_id}:job/${aws_glue_job.this.name}"

  assumed_by = {
    for service in ["events.amazonaws.com", "states.amazonaws.com"] : service => {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "OnlyForThisAccount"
        Effect    = "Allow"
        Principal = { Service = service }
        Action    = "sts:AssumeRole"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      }]
    }
  }
}
