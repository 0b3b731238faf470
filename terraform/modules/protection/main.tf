# What protects payments against what comes in and against what is deleted: GuardDuty scans landed files, and AWS Backup keeps copies of the
# tables in a vault, and in another account's vault if one is named. Each is off unless its variable says otherwise.

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition
  region     = data.aws_region.this.name
  scans      = var.enable_malware_scan ? { landing = var.landing_bucket } : {}
  backups    = { for backup in var.backup[*] : "tables" => backup }
}
