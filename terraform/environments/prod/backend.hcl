# The location of the state of prod. `make bootstrap ENV=prod` creates the bucket; the account is in prod.tfvars too.
bucket              = "fraud-terraform-state-123456789012"
key                 = "prod/terraform.tfstate"
region              = "us-east-1"
use_lockfile        = true
allowed_account_ids = ["123456789012"]
