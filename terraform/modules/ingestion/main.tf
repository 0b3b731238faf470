# The streaming job on Glue 5: landed files, cleaned; payments onto the topic, labels to their queue, bad rows to quarantine. The job's
# code is in glue_scripts/, its rights are in role.tf, its buckets in buckets.tf, and keep_running.tf starts it.

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition
  region     = data.aws_region.this.name

  # The same prefixes as in the local stack.
  landing_path    = "s3://${module.buckets["landing"].name}/transactions/"
  quarantine_path = "s3://${module.buckets["quarantine"].name}/ingestion/"
  checkpoint_path = "s3://${module.buckets["work"].name}/checkpoints/stream-transactions/"

  # Labels have a query, and so a checkpoint, of their own: what stops them does not stop payments.
  labels_path            = "s3://${module.buckets["landing"].name}/labels/"
  labels_quarantine_path = "s3://${module.buckets["quarantine"].name}/label_files/"
  labels_checkpoint_path = "s3://${module.buckets["work"].name}/checkpoints/stream-labels/"

  # Spark's Kafka sink signs in with the job's own role; Glue 5 has MSK's sign-in module beside the Kafka connector.
  kafka_options = {
    "kafka.security.protocol"                  = "SASL_SSL"
    "kafka.sasl.mechanism"                     = "AWS_MSK_IAM"
    "kafka.sasl.jaas.config"                   = "software.amazon.msk.auth.iam.IAMLoginModule required;"
    "kafka.sasl.client.callback.handler.class" = "software.amazon.msk.auth.iam.IAMClientCallbackHandler"
  }

  job_arguments = {
    "--landing_path"            = local.landing_path
    "--quarantine_path"         = local.quarantine_path
    "--checkpoint_path"         = local.checkpoint_path
    "--kafka_bootstrap_servers" = var.kafka.bootstrap_servers
    "--kafka_options"           = jsonencode(local.kafka_options)
    "--topic"                   = var.kafka.topic
    "--tokenization_key"        = "kms:${aws_kms_key.tokenization.arn}"
    "--metrics_namespace"       = var.metrics_namespace
    "--trigger_interval"        = "${var.trigger_interval_seconds} seconds"
    "--labels_path"             = local.labels_path
    "--labels_quarantine_path"  = local.labels_quarantine_path
    "--labels_checkpoint_path"  = local.labels_checkpoint_path
    "--labels_queue_url"        = var.labels_queue.url
    "--labels_trigger_interval" = "60 seconds" # a label comes days after its payment, and each look costs a listing of the prefix
  }

  mapping_arguments = merge(
    length(aws_s3_object.mappings) == 0 ? {} : { "--mappings_path" = "s3://${module.buckets["work"].name}/${local.mappings_prefix}" },
    length(aws_s3_object.label_mappings) == 0 ? {} : { "--label_mappings_path" = "s3://${module.buckets["work"].name}/${local.label_mappings_prefix}" },
  )

  glue_arguments = merge(module.code.arguments, {
    "--TempDir"                      = "s3://${module.buckets["work"].name}/temp/"
    "--custom-logGroup-prefix"       = local.log_prefix
    "--enable-auto-scaling"          = "true"
    "--enable-metrics"               = "true"
    "--enable-observability-metrics" = "true"
    "--job-bookmark-option"          = "job-bookmark-disable" # the checkpoint keeps a stream's position
  })
}

resource "aws_glue_job" "this" {
  name                   = "${var.name}-stream-transactions"
  description            = "Landed files of transactions, cleaned and tokenised, onto ${var.kafka.topic}; bad rows to quarantine."
  role_arn               = aws_iam_role.job.arn
  glue_version           = "5.0"
  worker_type            = var.worker_type
  number_of_workers      = var.maximum_workers
  connections            = [for connection in aws_glue_connection.kafka : connection.name]
  security_configuration = aws_glue_security_configuration.this.name
  timeout                = var.enable_keep_running ? null : 8 * 60 # minutes; null is without an end
  maintenance_window     = "Sun:04"                                # Glue ends a streaming job within seven days; this window says when
  default_arguments      = merge(local.job_arguments, local.mapping_arguments, local.glue_arguments)

  command {
    name            = "gluestreaming"
    python_version  = "3"
    script_location = module.code.script_url
  }

  execution_property {
    max_concurrent_runs = 1 # two would share a checkpoint
  }
}

# One for each zone: Glue runs the job in the zone of the first connection that it can use.
resource "aws_glue_connection" "kafka" {
  for_each = var.subnet_id_by_zone

  name            = "${var.name}-kafka-${each.key}"
  description     = "The brokers, from ${each.key}."
  connection_type = "KAFKA"
  connection_properties = {
    KAFKA_BOOTSTRAP_SERVERS = var.kafka.bootstrap_servers
    KAFKA_SSL_ENABLED       = "true"
    KAFKA_SASL_MECHANISM    = "AWS_MSK_IAM"
  }

  physical_connection_requirements {
    availability_zone      = each.key
    subnet_id              = each.value
    security_group_id_list = [var.security_group_id]
  }
}

resource "aws_glue_security_configuration" "this" {
  name = "${var.name}-stream-transactions"

  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "SSE-KMS"
      kms_key_arn                = var.logs_key_arn
    }

    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "CSE-KMS"
      kms_key_arn                   = var.data_key_arn
    }

    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = var.data_key_arn
    }
  }
}

# Glue would create them on its own, without a retention. With a security configuration that encrypts logs it writes neither to
# /aws-glue/jobs nor to the prefix alone: the names carry the security configuration and the role. That is the "Custom output log
# group (AWS Glue 5.0)" of "Security configuration with Amazon CloudWatch logging" on AWS's page "Logging for AWS Glue jobs".
locals {
  log_prefix = "/aws-glue/${var.name}"
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["output", "error"])

  name              = "${local.log_prefix}/${aws_glue_security_configuration.this.name}-role/${aws_iam_role.job.name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_key_arn
}

# The key of card number tokens: the same number gives the same token, and nobody without the key can try numbers. It never leaves
# KMS, so no secret is stored anywhere, not even in the state; only the job and card_token may derive from it.
locals {
  # By their names: the roles are created after the key, which they need.
  token_role_arns = [for name in var.token_role_names : "arn:${local.partition}:iam::${local.account_id}:role/${name}"]
}

resource "aws_kms_key" "tokenization" {
  # KMS does not rotate HMAC keys, and a rotation by clock would give one card two tokens (decision 0015).
  description              = "Card number tokens of ${var.name}. Without it no token can be matched to a card seen later."
  key_usage                = "GENERATE_VERIFY_MAC"
  customer_master_key_spec = "HMAC_256"
  deletion_window_in_days  = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountDecidesByIam"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "OnlyTheJobAndCardTokenDeriveFromIt"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = ["kms:GenerateMac", "kms:VerifyMac"]
        Resource  = "*"
        Condition = { ArnNotEquals = { "aws:PrincipalArn" = concat([aws_iam_role.job.arn], local.token_role_arns) } }
      },
    ]
  })
}

resource "aws_kms_alias" "tokenization" {
  name          = "alias/${var.name}-tokenization"
  target_key_id = aws_kms_key.tokenization.key_id
}
