# The location of the state of staging. `make bootstrap ENV=staging` creates the bucket; the account is in staging.tfvars too.
bucket              = "fraud-terraform-state-123456789012"
key                 = "staging/terraform.tfstate"
region              = "us-east-1"
use_lockfile        = true
allowed_account_ids = ["123456789012"]
