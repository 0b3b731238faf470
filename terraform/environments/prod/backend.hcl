# Where the state of prod is. The bucket is made by `make bootstrap ENV=prod`; the account stands in prod.tfvars as well.
bucket              = "fraud-terraform-state-123456789012"
key                 = "prod/terraform.tfstate"
region              = "us-east-1"
use_lockfile        = true
allowed_account_ids = ["123456789012"]
