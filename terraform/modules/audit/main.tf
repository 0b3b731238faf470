# Who touched payments from outside the system. A trail records data events on the buckets and tables that hold payments, and writes to the
# heads of the console's audit chains, by anybody but the system's own roles. It also records changes that could open them, by anybody but the
# roles that are there for it. Each event is counted, and pages (modules/observability). In a quiet month the trail is empty.

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition
  region     = data.aws_region.this.name
  trail_name = "${var.name}-payments"
  trail_arn  = "arn:${local.partition}:cloudtrail:${local.region}:${local.account_id}:trail/${local.trail_name}"

  # A role's calls have the ARN of its session. Without the system's own, which are millions, a trail costs nothing.
  own_sessions = [for role in sort(var.reading_roles) : "arn:${local.partition}:sts::${local.account_id}:assumed-role/${role}/"]

  data_events = {
    Heads   = { type = "AWS::S3::Object", arns = ["${var.audit_heads_bucket_arn}/"], is_read_too = false } # an auditor reads them
    Objects = { type = "AWS::S3::Object", arns = [for arn in var.bucket_arns : "${arn}/"], is_read_too = true }
    Rows    = { type = "AWS::DynamoDB::Table", arns = var.table_arns, is_read_too = true }
  }

  # Calls that give payments to others, or that read them by way of a copy.
  opening_events = [
    "CopySnapshot", "CreateAccessPoint", "CreateGrant", "CreateVpcConnection", "ExportTableToPointInTime", "PutBucketAcl", "PutBucketPolicy", "PutClusterPolicy",
    "PutKeyPolicy", "PutReplicationConfiguration", "PutResourcePolicy", "RestoreTableFromBackup", "RestoreTableToPointInTime",
    "UpdateAssumeRolePolicy",
  ]

  filters = {
    touched = "{ ($.eventCategory = \"Data\") && ($.userIdentity.type != \"AWSService\") }"
    opened  = "{ ($.eventCategory = \"Management\") && ($.userIdentity.type != \"AWSService\") && ${join(" && ", [for role in var.opening_roles : "($.userIdentity.sessionContext.sessionIssuer.userName != \"${role}\")"])} && (${join(" || ", [for event in local.opening_events : "($.eventName = \"${event}\")"])}) }"
  }
}

resource "aws_cloudtrail" "this" {
  # checkov:skip=CKV_AWS_67:The buckets and tables are in one region; a trail of all regions would record the account, which is not this system's to do.
  # checkov:skip=CKV_AWS_252:The alarms notify; a notice for each delivered file would say only that the trail works.
  name                       = local.trail_name
  s3_bucket_name             = module.bucket.name
  kms_key_id                 = var.logs_key_arn
  cloud_watch_logs_group_arn = "${aws_cloudwatch_log_group.trail.arn}:*"
  cloud_watch_logs_role_arn  = aws_iam_role.trail.arn
  enable_log_file_validation = true

  dynamic "advanced_event_selector" {
    for_each = local.data_events

    content {
      name = advanced_event_selector.key

      field_selector {
        field  = "eventCategory"
        equals = ["Data"]
      }
      field_selector {
        field  = "resources.type"
        equals = [advanced_event_selector.value.type]
      }
      field_selector {
        field       = "resources.ARN"
        starts_with = advanced_event_selector.value.arns
      }
      dynamic "field_selector" {
        for_each = advanced_event_selector.value.is_read_too ? {} : { readOnly = "false" }

        content {
          field  = field_selector.key
          equals = [field_selector.value]
        }
      }
      field_selector {
        field           = "userIdentity.arn"
        not_starts_with = local.own_sessions
      }
    }
  }

  advanced_event_selector {
    name = "Changes"

    field_selector {
      field  = "eventCategory"
      equals = ["Management"]
    }
    field_selector {
      field  = "readOnly"
      equals = ["false"]
    }
  }
}

resource "aws_cloudwatch_log_group" "trail" {
  name              = "/aws/cloudtrail/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_key_arn
}

resource "aws_iam_role" "trail" {
  name                 = "${var.name}-trail"
  description          = "CloudTrail writes to the trail's log group."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "cloudtrail.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceArn" = local.trail_arn } }
    }]
  })
}

resource "aws_iam_role_policy" "trail" {
  name = "write"
  role = aws_iam_role.trail.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "WriteTrail"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.trail.arn}:*"
    }]
  })
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each = local.filters

  name           = "${var.name}-payments-${each.key}"
  log_group_name = aws_cloudwatch_log_group.trail.name
  pattern        = each.value

  metric_transformation {
    name      = "payments-${each.key}"
    namespace = var.metrics_namespace
    value     = "1"
  }
}
