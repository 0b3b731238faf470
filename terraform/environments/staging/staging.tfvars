# staging: prod's shape at a size for load tests of some 500 transactions a second.
environment              = "staging"
account_id               = "123456789012"
region                   = "us-east-1"
availability_zones       = ["us-east-1a", "us-east-1b", "us-east-1c"]
permissions_boundary_arn = "arn:aws:iam::123456789012:policy/fraud-staging-boundary"

cidr_block          = "10.21.0.0/16"
endpoint_zone_count = 3

kafka = {
  brokers         = { instance_type = "kafka.m7g.large", volume_gib = 100, volume_maximum_gib = 500 }
  partitions      = 12
  retention_hours = 72
}

cache = {
  node_type               = "cache.t4g.medium"
  replicas                = { minimum = 1, maximum = 1 }
  snapshot_retention_days = 1
}

ingestion = { maximum_workers = 4 }

on_demand_maximum  = { read_units = 5000, write_units = 5000 }
monthly_budget_usd = 1450 # docs/cost.md, and a fifth more

enable_transaction_index = true # a write unit a payment (docs/cost.md); without it a label must have user_id and timestamp

# Who may reach the console (docs/guide-console.md); without it there is none:
# console = { endpoint_type = "PRIVATE", allowed_cidrs = ["10.50.0.0/16"] }

audit_heads         = { lock_mode = "COMPLIANCE", retention_days = 1 } # locked as in prod, and free to be destroyed the next day
enable_audit        = true
enable_malware_scan = true
backup              = { retention_days = 35 }

log_retention_days         = 30
enable_deletion_protection = false
