# Where the state of dev is. The bucket is made by `make bootstrap ENV=dev`; the account stands in dev.tfvars as well.
bucket              = "fraud-terraform-state-123456789012"
key                 = "dev/terraform.tfstate"
region              = "us-east-1"
use_lockfile        = true
allowed_account_ids = ["123456789012"]
