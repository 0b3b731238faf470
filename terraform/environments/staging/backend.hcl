# Where the state of staging is. The bucket is made by `make bootstrap ENV=staging`; the account stands in staging.tfvars as well.
bucket              = "fraud-terraform-state-123456789012"
key                 = "staging/terraform.tfstate"
region              = "us-east-1"
use_lockfile        = true
allowed_account_ids = ["123456789012"]
