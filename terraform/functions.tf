# The functions, from their folders: a new folder below functions/ is a new function, and nothing else changes in the plan.

module "functions" {
  source   = "./modules/function"
  for_each = toset(keys(local.functions))

  name                       = local.name
  function                   = each.key
  functions_dir              = local.functions_dir
  build_dir                  = "${var.build_dir}/functions/arm64"
  references                 = local.references
  targets                    = local.targets
  created_kafka_topics       = { for topic in keys(jsondecode(aws_lambda_invocation.kafka_topics.result).topics) : topic => topic }
  enable_pollers             = var.enable_always_on
  enable_schedule            = !contains(var.disabled_schedules, each.key)
  enable_traces              = var.enable_traces
  log_retention_days         = var.log_retention_days
  access_log_bucket          = module.ingestion.access_log_bucket_name
  enable_deletion_protection = var.enable_deletion_protection
  permissions_boundary_arn   = var.permissions_boundary_arn

  vpc = {
    subnet_ids = module.network.subnet_ids
    security_group_ids = {
      functions = module.network.security_group_id_by_role["functions"]
      cache     = module.network.security_group_id_by_role["cache_clients"]
      kafka     = module.network.security_group_id_by_role["kafka_clients"]
    }
  }

  key_arns = {
    data   = module.encryption.data_key_arn
    alerts = module.encryption.alerts_key_arn
    logs   = module.encryption.logs_key_arn
  }
}

# Topics are created, and get more partitions, from inside the network. The function runs again only if the request changes; a
# second run with the same request changes nothing. Topics are never deleted here.
resource "aws_lambda_invocation" "kafka_topics" {
  function_name = module.functions["topic_admin"].function_name
  qualifier     = module.functions["topic_admin"].granted_alias_name
  input = jsonencode({
    topics = [
      for topic in local.kafka_topics : {
        name               = topic
        partitions         = var.kafka.partitions
        replication_factor = module.streaming.replication_factor
        configs = {
          "retention.ms" = tostring(var.kafka.retention_hours * 3600 * 1000)
          # The broker's clock, not the producer's: a producer's timestamp may be any number and keep a record for years.
          "message.timestamp.type" = "LogAppendTime"
        }
      }
    ]
  })
}

# Quarantined records: complete, with the reasons why they are no valid payments, until somebody has checked them.
resource "aws_sqs_queue" "quarantine" {
  name                      = "${local.name}-quarantine"
  message_retention_seconds = 14 * 24 * 3600 # the maximum of SQS
  kms_master_key_id         = module.encryption.data_key_arn
}

resource "aws_sqs_queue_policy" "quarantine" {
  queue_url = aws_sqs_queue.quarantine.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = aws_sqs_queue.quarantine.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
