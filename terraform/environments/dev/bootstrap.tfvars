# What an administrator creates once in the account of dev: `make bootstrap ENV=dev`. Environments that share an account share
# these resources, so each of them lists all environments of the account.
account_id        = "123456789012"
region            = "us-east-1"
state_bucket_name = "fraud-terraform-state-123456789012"
environments      = ["dev", "staging", "prod"]
github_repository = "example/payment-fraud-detection"
