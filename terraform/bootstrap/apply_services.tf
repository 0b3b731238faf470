# The apply role: what runs, what connects it, and what watches it.

data "aws_iam_policy_document" "apply_services" {
  for_each = var.environments

  statement {
    sid = "Functions"
    actions = [
      "lambda:CreateAlias", "lambda:CreateFunction", "lambda:DeleteAlias", "lambda:DeleteFunction", "lambda:DeleteFunctionConcurrency",
      "lambda:DeleteFunctionEventInvokeConfig", "lambda:PublishVersion", "lambda:PutFunctionConcurrency", "lambda:PutFunctionEventInvokeConfig",
      "lambda:RemovePermission", "lambda:TagResource", "lambda:UntagResource", "lambda:UpdateAlias", "lambda:UpdateFunctionCode",
      "lambda:UpdateFunctionConfiguration", "lambda:UpdateFunctionEventInvokeConfig",
    ]
    resources = ["${local.arn.lambda}:function:${local.prefix[each.key]}-*"]
  }

  statement {
    sid       = "CallersOfFunctions"
    actions   = ["lambda:AddPermission"]
    resources = ["${local.arn.lambda}:function:${local.prefix[each.key]}-*"]
    condition {
      test     = "StringEquals"
      variable = "lambda:Principal"
      values   = local.invoking_services
    }
  }

  statement {
    sid       = "CreateTopics"
    actions   = ["lambda:InvokeFunction"]
    resources = ["${local.arn.lambda}:function:${local.prefix[each.key]}-topic-admin*"]
  }

  statement {
    sid       = "Mappings"
    actions   = ["lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping", "lambda:UpdateEventSourceMapping"]
    resources = ["*"]
    condition {
      test     = "ArnLike"
      variable = "lambda:FunctionArn"
      values   = ["${local.arn.lambda}:function:${local.prefix[each.key]}-*"]
    }
  }

  statement {
    sid       = "TagsOfMappings"
    actions   = ["lambda:TagResource", "lambda:UntagResource"]
    resources = ["${local.arn.lambda}:event-source-mapping:*"]
  }

  statement {
    sid       = "Topics"
    actions   = ["sns:CreateTopic", "sns:DeleteTopic", "sns:SetTopicAttributes", "sns:Subscribe", "sns:TagResource", "sns:UntagResource"]
    resources = ["${local.arn.sns}:${local.prefix[each.key]}-*"]
  }

  # `make start`, `make stop` and `make destroy` start and stop the job's runs.
  statement {
    sid = "Ingestion"
    actions = [
      "glue:BatchStopJobRun", "glue:CreateConnection", "glue:CreateJob", "glue:DeleteConnection", "glue:DeleteJob", "glue:GetJobRuns",
      "glue:StartJobRun", "glue:TagResource", "glue:UntagResource", "glue:UpdateConnection", "glue:UpdateJob",
    ]
    resources = ["${local.arn.glue}:catalog", "${local.arn.glue}:connection/${local.prefix[each.key]}-*", "${local.arn.glue}:job/${local.prefix[each.key]}-*"]
  }

  statement {
    sid = "RulesOfEvents"
    actions = [
      "events:DeleteRule", "events:DisableRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets", "events:TagResource",
      "events:UntagResource", "states:CreateStateMachine", "states:DeleteStateMachine", "states:ListExecutions", "states:StopExecution",
      "states:TagResource", "states:UntagResource", "states:UpdateStateMachine",
    ]
    resources = concat(["${local.arn.events}:rule/${local.prefix[each.key]}-*"], [for kind in ["execution", "stateMachine"] : "${local.arn.states}:${kind}:${local.prefix[each.key]}-*"])
  }

  statement {
    sid       = "Alarms"
    actions   = ["cloudwatch:Delete*", "cloudwatch:Put*", "cloudwatch:TagResource", "cloudwatch:UntagResource"]
    resources = ["${local.arn.cloudwatch}:alarm:${local.prefix[each.key]}-*", "arn:${local.partition}:cloudwatch::${var.account_id}:dashboard/${local.prefix[each.key]}"]
  }

  statement {
    sid       = "LogGroups"
    actions   = ["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:DeleteRetentionPolicy", "logs:DisassociateKmsKey", "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource"]
    resources = concat([for end in ["", "-*", "/*"] : "${local.arn.logs}:log-group:/aws*/${local.prefix[each.key]}${end}"], ["${local.arn.logs}:log-group:sns/*/${local.prefix[each.key]}-*"])
  }

  statement {
    sid = "NewRulesApplication"
    actions = [
      "appconfig:CreateApplication", "appconfig:CreateDeploymentStrategy",
      "application-autoscaling:RegisterScalableTarget", "application-autoscaling:TagResource",
    ]
    resources = ["*"]
    dynamic "condition" {
      for_each = local.tags[each.key]
      content {
        test     = "StringEquals"
        variable = "aws:RequestTag/${condition.key}"
        values   = [condition.value]
      }
    }
    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/Environment"
      values   = [each.key]
    }
  }

  statement {
    sid       = "RulesApplication"
    actions   = ["appconfig:Create*", "appconfig:Delete*", "appconfig:StartDeployment", "appconfig:StopDeployment", "appconfig:TagResource", "appconfig:UntagResource", "appconfig:Update*", "appconfig:ValidateConfiguration"]
    resources = ["${local.arn.appconfig}:*"]
    dynamic "condition" {
      for_each = local.tags[each.key]
      content {
        test     = "StringEquals"
        variable = "aws:ResourceTag/${condition.key}"
        values   = [condition.value]
      }
    }
  }

  # A version of a configuration and a deployment have no tags; the application that they are part of has them, and must be allowed too.
  statement {
    sid       = "VersionsOfRules"
    actions   = ["appconfig:DeleteHostedConfigurationVersion", "appconfig:StartDeployment", "appconfig:StopDeployment"]
    resources = ["${local.arn.appconfig}:application/*/configurationprofile/*/hostedconfigurationversion/*", "${local.arn.appconfig}:application/*/environment/*/deployment/*"]
  }

  # Without resources in IAM's reference, or with ids and no tags.
  statement {
    sid = "WithoutAName"
    actions = [
      "application-autoscaling:DeleteScalingPolicy", "application-autoscaling:DeregisterScalableTarget",
      "application-autoscaling:PutScalingPolicy", "glue:CreateSecurityConfiguration", "glue:DeleteSecurityConfiguration",
      "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:PutResourcePolicy", "logs:UpdateLogDelivery", "sns:SetSMSAttributes",
      "sns:SetSubscriptionAttributes", "sns:Unsubscribe",
    ]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [var.region]
    }
  }
}
