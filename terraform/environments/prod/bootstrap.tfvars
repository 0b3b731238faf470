# What an administrator makes once in the account of prod: `make bootstrap ENV=prod`. Environments that share an account share
# this file's resources, and all of them name all of its environments.
account_id        = "123456789012"
region            = "us-east-1"
state_bucket_name = "fraud-terraform-state-123456789012"
environments      = ["dev", "staging", "prod"]
github_repository = "example/payment-fraud-detection"
