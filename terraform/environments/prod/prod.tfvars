# prod: sized for 100 million transactions a month, 40 a second on average and some 400 at the peak (docs/cost.md).
environment              = "prod"
account_id               = "123456789012"
region                   = "us-east-1"
availability_zones       = ["us-east-1a", "us-east-1b", "us-east-1c"]
permissions_boundary_arn = "arn:aws:iam::123456789012:policy/fraud-prod-boundary"

cidr_block          = "10.22.0.0/16"
endpoint_zone_count = 3

kafka = {
  brokers         = { instance_type = "kafka.m7g.large", volume_gib = 250, volume_maximum_gib = 2000 }
  partitions      = 48 # the limit of batches scored at a time; can be raised, never lowered
  retention_hours = 168
}

cache = {
  node_type               = "cache.r7g.large"
  replicas                = { minimum = 2, maximum = 2 } # one in each other zone; replicas answer no reads, so more of them carry no load
  snapshot_retention_days = 7
}

ingestion = { maximum_workers = 10 }

on_demand_maximum  = { read_units = 20000, write_units = 20000 }
monthly_budget_usd = 3000 # docs/cost.md, and a fifth more

enable_transaction_index = true # a write unit a payment (docs/cost.md); without it a label must have user_id and timestamp

# Who may reach the console (docs/guide-console.md); without it there is none:
# console = { endpoint_type = "PRIVATE", allowed_cidrs = ["10.50.0.0/16"] }

audit_heads         = { lock_mode = "COMPLIANCE", retention_days = 400 } # a year, and a month to look
enable_audit        = true
enable_malware_scan = true
backup              = { retention_days = 35 } # name another account's vault: copy_to_vault_arn

log_retention_days         = 400
enable_deletion_protection = true
