# The location of the state of dev. `make bootstrap ENV=dev` creates the bucket; the account is in dev.tfvars too.
bucket              = "fraud-terraform-state-123456789012"
key                 = "dev/terraform.tfstate"
region              = "us-east-1"
use_lockfile        = true
allowed_account_ids = ["123456789012"]
