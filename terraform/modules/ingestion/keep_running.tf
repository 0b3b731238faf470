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

  keep_running_policy = {
    Version = "2012-10-17"
    Statement = [{
      Sid      = "FindAndStartTheJob"
      Effect   = "Allow"
      Action   = ["glue:GetJobRuns", "glue:StartJobRun"]
      Resource = "arn:${local.partition}:glue:${local.region}:${local.account_id}:job/${aws_glue_job.this.name}"
    }]
  }

  # Why the state machine runs. Glue delivers its events with best effort, so a missed one must not stop ingestion.
  keep_running_rules = {
    ended = {
      description   = "A run of ${aws_glue_job.this.name} ended, whatever the reason."
      schedule      = null
      event_pattern = jsonencode({ source = ["aws.glue"], "detail-type" = ["Glue Job State Change"], detail = { jobName = [aws_glue_job.this.name], state = ["FAILED", "STOPPED", "SUCCEEDED", "TIMEOUT"] } })
    }
    regularly = {
      description   = "Looks for a run of ${aws_glue_job.this.name} although no event came, and starts the first one."
      schedule      = "rate(5 minutes)"
      event_pattern = null
    }
  }
}

module "keep_running" {
  source = "../state_machine"

  name                     = "${var.name}-keep-ingestion-running"
  description              = "The state machine that starts ${aws_glue_job.this.name} if it does not run."
  definition               = jsonencode(local.keep_running)
  policy                   = jsonencode(local.keep_running_policy)
  rules                    = { for name, rule in local.keep_running_rules : name => rule if var.enable_keep_running }
  permissions_boundary_arn = var.permissions_boundary_arn
}

# Addresses of states from before the module `state_machine`.
moved {
  from = aws_sfn_state_machine.keep_running
  to   = module.keep_running.aws_sfn_state_machine.this
}

moved {
  from = aws_cloudwatch_event_rule.keep_running
  to   = module.keep_running.aws_cloudwatch_event_rule.this
}

moved {
  from = aws_cloudwatch_event_target.keep_running
  to   = module.keep_running.aws_cloudwatch_event_target.this
}

moved {
  from = aws_iam_role.keep_running
  to   = module.keep_running.aws_iam_role.this
}

moved {
  from = aws_iam_role_policy.keep_running
  to   = module.keep_running.aws_iam_role_policy.this
}

moved {
  from = aws_iam_role.keep_running_rules
  to   = module.keep_running.aws_iam_role.rules
}

moved {
  from = aws_iam_role_policy.keep_running_rules
  to   = module.keep_running.aws_iam_role_policy.rules
}
