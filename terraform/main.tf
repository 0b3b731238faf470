# The whole system, stage by stage from the landed file to the alert, and its observability. The first lines of each module say what
# it creates and why; this file says what it gets from other modules.

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

module "encryption" {
  source = "./modules/encryption"

  name = local.name
}

module "network" {
  source = "./modules/network"

  name                     = local.name
  availability_zones       = var.availability_zones
  cidr_block               = var.cidr_block
  endpoint_zone_count      = var.endpoint_zone_count
  logs_key_arn             = module.encryption.logs_key_arn
  log_retention_days       = var.log_retention_days
  permissions_boundary_arn = var.permissions_boundary_arn
}

module "ingestion" {
  source = "./modules/ingestion"

  name                         = local.name
  scripts_dir                  = "${path.root}/../glue_scripts"
  build_dir                    = "${var.build_dir}/glue"
  metrics_namespace            = local.metrics_namespace
  mapping_file_by_prefix       = { for prefix, file in var.ingestion_mappings : prefix => "${path.root}/../${file}" }
  label_mapping_file_by_prefix = { for prefix, file in var.label_mappings : prefix => "${path.root}/../${file}" }
  labels_queue                 = { url = aws_sqs_queue.source["labels"].url, arn = aws_sqs_queue.source["labels"].arn }
  worker_type                  = var.ingestion.worker_type
  maximum_workers              = var.ingestion.maximum_workers
  trigger_interval_seconds     = var.ingestion.trigger_interval_seconds
  enable_keep_running          = var.enable_always_on
  landing_retention_days       = var.ingestion.landing_retention_days
  quarantine_retention_days    = var.ingestion.quarantine_retention_days
  enable_deletion_protection   = var.enable_deletion_protection
  subnet_id_by_zone            = module.network.subnet_id_by_zone
  security_group_id            = module.network.security_group_id_by_role["ingestion"]
  data_key_arn                 = module.encryption.data_key_arn
  logs_key_arn                 = module.encryption.logs_key_arn
  log_retention_days           = var.log_retention_days
  token_role_names             = local.token_role_names
  permissions_boundary_arn     = var.permissions_boundary_arn

  kafka = {
    bootstrap_servers = module.streaming.bootstrap_servers
    cluster_arn       = module.streaming.cluster_arn
    topic             = local.ingestion_topic
    topic_arn         = "${module.streaming.topic_arn_prefix}${local.ingestion_topic}"
  }
}

module "streaming" {
  source = "./modules/streaming"

  name               = local.name
  capacity_mode      = var.kafka.capacity_mode
  kafka_version      = var.kafka.version
  brokers            = var.kafka.brokers
  subnet_ids         = module.network.subnet_ids
  security_group_id  = module.network.security_group_id_by_role["brokers"]
  data_key_arn       = module.encryption.data_key_arn
  logs_key_arn       = module.encryption.logs_key_arn
  log_retention_days = var.log_retention_days
}

module "producers" {
  source = "./modules/producers"

  name                     = local.name
  producers                = var.producers
  label_producers          = var.label_producers
  label_queue              = { arn = aws_sqs_queue.source["labels"].arn, key_arn = module.encryption.data_key_arn }
  landing_bucket_arn       = module.ingestion.buckets["landing"].arn
  permissions_boundary_arn = var.permissions_boundary_arn

  kafka = {
    cluster_arn = module.streaming.cluster_arn
    topic       = local.ingestion_topic
    topic_arn   = "${module.streaming.topic_arn_prefix}${local.ingestion_topic}"
  }
}

module "cache" {
  source = "./modules/cache"

  name                    = local.name
  access_file             = "${path.root}/../functions/cache/access.yaml"
  engine                  = var.cache.engine
  engine_version          = var.cache.engine_version
  node_type               = var.cache.node_type
  replicas                = var.cache.replicas
  snapshot_retention_days = var.cache.snapshot_retention_days
  restore_snapshot        = var.cache.restore_snapshot
  enable_final_snapshot   = var.enable_deletion_protection
  subnet_ids              = module.network.subnet_ids
  security_group_id       = module.network.security_group_id_by_role["cache"]
  data_key_arn            = module.encryption.data_key_arn
  logs_key_arn            = module.encryption.logs_key_arn
  log_retention_days      = var.log_retention_days
}

module "tables" {
  source = "./modules/tables"

  name                       = local.name
  definitions                = local.tables
  provisioned_capacity       = var.provisioned_tables
  on_demand_maximum          = var.on_demand_maximum
  enable_deletion_protection = var.enable_deletion_protection
  data_key_arn               = module.encryption.data_key_arn
}

module "history_export" {
  source = "./modules/history_export"

  name                       = local.name
  table                      = module.tables.tables["transaction_history"]
  retention_days             = tonumber(local.functions.score.environment.HISTORY_RETENTION_DAYS)
  access_log_bucket          = module.ingestion.access_log_bucket_name
  enable_deletion_protection = var.enable_deletion_protection
  data_key_arn               = module.encryption.data_key_arn
  permissions_boundary_arn   = var.permissions_boundary_arn
}

module "alerts" {
  source = "./modules/alert_topic"

  name                     = local.name
  topic                    = "fraud-alerts"
  display_name             = "Fraud"
  subscriptions            = var.alert_subscriptions
  has_canary               = true
  alerts_key_arn           = module.encryption.alerts_key_arn
  logs_key_arn             = module.encryption.logs_key_arn
  log_retention_days       = var.log_retention_days
  permissions_boundary_arn = var.permissions_boundary_arn
}

# Alarms notify the people who run the system; a topic for each severity, so that a ticket wakes nobody.
module "operations" {
  source   = "./modules/alert_topic"
  for_each = var.operations_subscriptions

  name                     = local.name
  topic                    = each.key
  display_name             = "${local.name} ${each.key}"
  publishing_services      = ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]
  subscriptions            = each.value
  alerts_key_arn           = module.encryption.alerts_key_arn
  logs_key_arn             = module.encryption.logs_key_arn
  log_retention_days       = var.log_retention_days
  permissions_boundary_arn = var.permissions_boundary_arn
}

# What the account costs in a month, above all of what somebody forgot. Tags would split it by environment, but AWS counts by a tag only after
# it was activated for billing, and until then a budget with a filter shows nothing.
resource "aws_budgets_budget" "month" {
  count = var.monthly_budget_usd == null ? 0 : 1

  name              = "${local.name}-month"
  budget_type       = "COST"
  limit_amount      = tostring(var.monthly_budget_usd)
  limit_unit        = "USD"
  time_unit         = "MONTHLY"
  time_period_start = "2026-01-01_00:00"

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }

    content {
      notification_type         = notification.key
      comparison_operator       = "GREATER_THAN"
      threshold                 = notification.value
      threshold_type            = "PERCENTAGE"
      subscriber_sns_topic_arns = [module.operations["ticket"].topic_arn]
    }
  }
}

# For the whole account, not for a topic: transactional messages have priority, and a limit caps the cost of an attack.
resource "aws_sns_sms_preferences" "this" {
  count = anytrue([for subscription in values(var.alert_subscriptions) : subscription.protocol == "sms"]) ? 1 : 0

  default_sms_type                      = "Transactional"
  monthly_spend_limit                   = var.sms_monthly_limit_usd
  delivery_status_iam_role_arn          = module.alerts.delivery_role_arn
  delivery_status_success_sampling_rate = "100"
}

# Every ruleset that was ever active, by its digest: for replays, and for a function that starts while AppConfig is unavailable.
module "rules_bucket" {
  source = "./modules/bucket"

  bucket                     = "${local.name}-rules-${data.aws_caller_identity.this.account_id}"
  access_log_bucket          = module.ingestion.access_log_bucket_name
  enable_deletion_protection = var.enable_deletion_protection
  key_arn                    = module.encryption.data_key_arn
}

# The heads of the chains of audit events, kept each hour. Who writes events has no right here, and nobody can change what was kept (decision 0028).
module "audit_heads_bucket" {
  source = "./modules/bucket"

  bucket                     = "${local.name}-audit-heads-${data.aws_caller_identity.this.account_id}"
  object_lock                = { mode = var.audit_heads.lock_mode, retention_days = var.audit_heads.retention_days }
  access_log_bucket          = module.ingestion.access_log_bucket_name
  enable_deletion_protection = var.enable_deletion_protection
  key_arn                    = null # without a customer key: deleting it would make locked objects unreadable, and they hold no personal data
}

# Trains models on what the system has stored, when somebody asks for it.
module "training" {
  source = "./modules/training"
  count  = var.training == null ? 0 : 1

  name                       = local.name
  trainer_arns               = var.training.trainer_arns
  table_arns                 = { for name in ["labels", "transaction_history"] : name => module.tables.tables[name].arn }
  rules_bucket               = local.buckets.rules
  instance_type              = var.training.instance_type
  volume_gib                 = var.training.volume_gib
  maximum_hours              = var.training.maximum_hours
  vpc_arn                    = module.network.vpc_arn
  subnet_ids                 = module.network.subnet_ids
  security_group_id          = module.network.security_group_id_by_role["training"]
  access_log_bucket          = module.ingestion.access_log_bucket_name
  data_key_arn               = module.encryption.data_key_arn
  enable_deletion_protection = var.enable_deletion_protection
  permissions_boundary_arn   = var.permissions_boundary_arn
}

# Lets a ruleset that is tried decide again about stored payments, when somebody asks for it.
module "backtest" {
  source = "./modules/backtest"
  count  = var.backtest == null ? 0 : 1

  name                       = local.name
  scripts_dir                = "${path.root}/../glue_scripts"
  build_dir                  = "${var.build_dir}/glue-backtest"
  table_arns                 = { for name in ["labels", "transaction_history"] : name => module.tables.tables[name].arn }
  maximum_workers            = var.backtest.maximum_workers
  access_log_bucket          = module.ingestion.access_log_bucket_name
  data_key_arn               = module.encryption.data_key_arn
  logs_key_arn               = module.encryption.logs_key_arn
  log_retention_days         = var.log_retention_days
  enable_deletion_protection = var.enable_deletion_protection
  permissions_boundary_arn   = var.permissions_boundary_arn
}

module "rules" {
  source = "./modules/rules"

  name                     = local.name
  environment              = var.environment
  ruleset_file             = "${path.root}/../rules/default.yaml"
  rollback_alarm_arn       = module.observability.rollback_alarm_arn
  permissions_boundary_arn = var.permissions_boundary_arn

  validator = {
    function_name = module.functions["rules_validator"].function_name
    alias_name    = module.functions["rules_validator"].alias_name
    alias_arn     = module.functions["rules_validator"].alias_arn
  }
}

module "observability" {
  source = "./modules/observability"

  name               = local.name
  metrics_namespace  = local.metrics_namespace
  functions_dir      = local.functions_dir
  disabled_schedules = [for name, function in module.functions : name if !function.is_scheduled]
  function_names     = { for name, function in module.functions : name => function.function_name }
  dead_letter_queue_names = merge(
    { for name, function in module.functions : name => function.dead_letter_queue_name if function.dead_letter_queue_name != null },
    { for name, queue in module.alerts.redrive_queues : "alerts-${name}" => queue.name },
    merge([for severity, topic in module.operations : { for name, queue in topic.redrive_queues : "${severity}-${name}" => queue.name }]...),
  )
  quarantine_queue_name = aws_sqs_queue.quarantine.name
  queue_names           = { for name, queue in aws_sqs_queue.source : name => queue.name }
  table_names           = { for name, table in module.tables.tables : name => table.name }
  cache_node_ids        = module.cache.node_ids
  alert_topic_name      = module.alerts.topic_name
  glue_job_name         = module.ingestion.job_name
  keep_running_arn      = module.ingestion.keep_running_arn
  history_export_arn    = module.history_export.state_machine_arn
  console               = var.console == null ? null : { api_name = module.http[0].api_name, stage_name = module.http[0].stage_name, metric_names = module.http[0].metric_names }
  audit_metric_names    = one(module.audit[*].metric_names)
  threat_rule_name      = module.protection.threat_rule_name
  thresholds            = var.alarm_thresholds
  enable_notifications  = var.enable_alarm_notifications

  kafka = {
    cluster_name = module.streaming.cluster_name
    topic_names  = local.targets.kafka.topic_names
    broker_count = module.streaming.broker_count
  }

  notification_topic_arns = {
    page   = [module.operations["page"].topic_arn]
    ticket = [module.operations["ticket"].topic_arn]
  }
}

# Who touched payments outside the system.
module "audit" {
  source = "./modules/audit"
  count  = var.enable_audit ? 1 : 0

  name                       = local.name
  bucket_arns                = concat([for name in ["landing", "quarantine"] : module.ingestion.buckets[name].arn], [module.history_export.bucket_arn], module.training[*].bucket_arn, module.backtest[*].bucket_arn, flatten([for function in values(module.functions) : function.dead_letter_bucket_arns]))
  audit_heads_bucket_arn     = module.audit_heads_bucket.arn
  table_arns                 = [for table in values(module.tables.tables) : table.arn]
  reading_roles              = concat([for function in values(module.functions) : function.role_name], [module.ingestion.job_role_name, module.history_export.role_name], flatten(module.training[*].role_names), flatten(module.backtest[*].role_names), module.protection.role_names)
  opening_roles              = concat(["${local.name}-apply", module.history_export.role_name], module.training[*].exporting_role_name, module.backtest[*].exporting_role_name)
  metrics_namespace          = local.metrics_namespace
  logs_key_arn               = module.encryption.logs_key_arn
  log_retention_days         = var.log_retention_days
  enable_deletion_protection = var.enable_deletion_protection
  permissions_boundary_arn   = var.permissions_boundary_arn
}

module "protection" {
  source = "./modules/protection"

  name                       = local.name
  enable_malware_scan        = var.enable_malware_scan
  landing_bucket             = module.ingestion.buckets["landing"]
  backup                     = var.backup
  table_arns                 = [for name, table in module.tables.tables : table.arn if name != "transaction_history" || try(var.backup.includes_history, false)]
  data_key_arn               = module.encryption.data_key_arn
  logs_key_arn               = module.encryption.logs_key_arn
  log_retention_days         = var.log_retention_days
  enable_deletion_protection = var.enable_deletion_protection
  permissions_boundary_arn   = var.permissions_boundary_arn
}
