# dev: everything that prod has, at the smallest sizes of MSK, Glue and ElastiCache, without data that must be kept.
environment              = "dev"
account_id               = "123456789012"
region                   = "us-east-1"
availability_zones       = ["us-east-1a", "us-east-1b", "us-east-1c"]
permissions_boundary_arn = "arn:aws:iam::123456789012:policy/fraud-dev-boundary"

cidr_block          = "10.20.0.0/16"
enable_always_on    = false # nobody pays here at night: `make start ENV=dev` before a trial, `make stop ENV=dev` after it
endpoint_zone_count = 1     # there are no real payments: a lost zone may stop dev, and two thirds of the endpoints' price are saved

kafka = {
  brokers         = { instance_type = "kafka.t3.small", volume_gib = 10, volume_maximum_gib = 50 }
  partitions      = 6
  retention_hours = 24
}

cache = {
  node_type               = "cache.t4g.micro"
  replicas                = { minimum = 1, maximum = 1 }
  snapshot_retention_days = 1
}

ingestion = { maximum_workers = 2 }

on_demand_maximum  = { read_units = 2000, write_units = 1000 }
monthly_budget_usd = 285 # docs/cost.md, and a fifth more

enable_transaction_index = true # a write unit a payment (docs/cost.md); without it a label must have user_id and timestamp

# Who may reach the console (docs/guide-console.md); without it there is none:
# console = { endpoint_type = "PRIVATE", allowed_cidrs = ["10.50.0.0/16"] }

disabled_schedules = ["canary"] # the job and the pollers run on demand, so nothing would come out

log_retention_days         = 14
enable_deletion_protection = false
