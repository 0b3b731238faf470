# One function, created from its function.yaml. The module is used once, with one for_each over the folders.

data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

locals {
  spec          = yamldecode(file("${var.functions_dir}/${var.function}/function.yaml"))
  function_name = "${var.name}-${replace(var.function, "_", "-")}"
  zip           = "${var.build_dir}/${var.function}.zip"
  trigger       = local.spec.trigger

  # A browser waits for its answer; a request that failed is not tried again, and nothing of it is kept.
  keeps_requests = lookup(local.trigger, "on_failure", local.trigger.type == "http" ? "discard" : "dead_letter") != "discard"

  # What the module itself makes: `dead_letter.queue`, and `dead_letter.bucket` of a function that has one.
  references = merge(
    var.references,
    { "dead_letter.queue" = aws_sqs_queue.dead_letter.url },
    { for bucket in values(module.dead_letter_bucket) : "dead_letter.bucket" => bucket.name },
  )

  # How often and how long Lambda tries an asynchronous request; Lambda's own limits where there is no entry. A request that must not be
  # kept is not tried again: Lambda would store it until then.
  request_limits = { for key, limits in {
    schedule = { retries = try(local.trigger.maximum_retries, 0), age_seconds = try(local.trigger.maximum_event_age_seconds, 60) }
    invoke   = { retries = 0, age_seconds = 60 }
  } : key => limits if key == local.trigger.type && (key == "schedule" || !local.keeps_requests) }

  # A literal, or {ref: ...}. An unknown reference is null here, and the function below refuses it.
  environment        = { for variable, value in local.spec.environment : variable => try(tostring(value), lookup(local.references, value.ref, null)) }
  unknown_references = sort([for variable, value in local.spec.environment : "${variable} (${value.ref})" if can(value.ref) && !contains(keys(local.references), try(value.ref, ""))])

  # The cache and the brokers can be reached only inside the VPC. AWS's public endpoints are reached without it.
  network_access     = distinct([for entry in local.spec.access : contains(keys(entry), "cache") ? "cache" : "kafka" if contains(keys(entry), "cache") || contains(keys(entry), "kafka")])
  is_in_vpc          = length(local.network_access) > 0
  security_group_ids = [for kind in concat(["functions"], local.network_access) : var.vpc.security_group_ids[kind]]
}

resource "aws_cloudwatch_log_group" "this" {
  # The logs are for debugging; the record of decisions is transaction_history (decision 0013)
  name              = "/aws/lambda/${local.function_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arns.logs
}

# Receives asynchronous invocations that failed, records that crashed the function, and the announcements of the dead-letter bucket.
resource "aws_sqs_queue" "dead_letter" {
  name                              = "${local.function_name}-dead-letter"
  message_retention_seconds         = 14 * 24 * 3600 # the maximum of SQS
  kms_master_key_id                 = var.key_arns.data
  kms_data_key_reuse_period_seconds = 300
}

resource "aws_sqs_queue_policy" "dead_letter" {
  queue_url = aws_sqs_queue.dead_letter.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.dead_letter.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      [
        for rule in values(aws_cloudwatch_event_rule.dead_letter) : {
          Sid       = "BucketAnnounces"
          Effect    = "Allow"
          Principal = { Service = "events.amazonaws.com" }
          Action    = "sqs:SendMessage"
          Resource  = aws_sqs_queue.dead_letter.arn
          Condition = { ArnEquals = { "aws:SourceArn" = rule.arn } }
        }
      ],
    )
  })
}

resource "aws_lambda_function" "this" {
  # Only functions that need the cache or the brokers are in the VPC; the others would need NAT or endpoints for public services, and open no port (decision 0013)
  # checkov:skip=CKV_AWS_173:Variables are names and numbers, no secrets. With a customer key whoever plans must decrypt with it, or every plan shows changes (decision 0013)
  # checkov:skip=CKV_AWS_272:The zips are built and hashed by the pipeline that applies them, and only its role may update code (decision 0013)
  function_name                  = local.function_name
  description                    = local.spec.description
  role                           = aws_iam_role.this.arn
  runtime                        = local.spec.runtime
  architectures                  = ["arm64"]
  handler                        = local.spec.handler
  filename                       = local.zip
  source_code_hash               = fileexists(local.zip) ? filebase64sha256(local.zip) : null
  memory_size                    = local.spec.memory_mib
  timeout                        = local.spec.timeout_seconds
  reserved_concurrent_executions = local.spec.reserved_concurrency
  publish                        = true

  environment {
    variables = local.environment
  }

  # `on_failure: discard` of a trigger: the request must not be kept.
  dynamic "dead_letter_config" {
    for_each = local.keeps_requests ? [aws_sqs_queue.dead_letter.arn] : []
    content {
      target_arn = dead_letter_config.value
    }
  }

  logging_config {
    log_group             = aws_cloudwatch_log_group.this.name
    log_format            = "JSON"
    application_log_level = "INFO" # metrics are log lines of this level; above it they would be dropped
    system_log_level      = "INFO"
  }

  tracing_config {
    mode = var.enable_traces ? "Active" : "PassThrough"
  }

  dynamic "vpc_config" {
    for_each = local.is_in_vpc ? [var.vpc] : []
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = local.security_group_ids
    }
  }

  lifecycle {
    precondition {
      condition     = fileexists(local.zip)
      error_message = "${local.zip} is missing; `make build ARCH=arm64` builds it."
    }
    precondition {
      condition     = length(local.unknown_references) == 0
      error_message = "functions/${var.function}/function.yaml: environment has unknown references: ${join(", ", local.unknown_references)}."
    }
  }

  # Lambda uses this role to check the network and the dead-letter queue while it creates the function.
  depends_on = [aws_iam_role_policy.runtime]
}

resource "aws_lambda_function_event_invoke_config" "requests" {
  for_each = local.request_limits

  function_name                = aws_lambda_function.this.function_name
  qualifier                    = aws_lambda_alias.live.name
  maximum_event_age_in_seconds = each.value.age_seconds
  maximum_retry_attempts       = each.value.retries
}

# Callers use the alias: a new version takes over in one step, and a rollback points it at an old one.
resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "The version that mappings and callers use."
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}
