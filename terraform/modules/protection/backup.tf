# Point-in-time recovery goes with its table, and an account's administrator can delete both. A vault keeps copies of the tables apart. Once
# a week: each copy of a DynamoDB table is billed whole, and point-in-time recovery has every second of the last 35 days (decision 0020).

resource "aws_backup_vault" "this" {
  for_each = local.backups

  name          = "${var.name}-tables"
  kms_key_arn   = var.data_key_arn
  force_destroy = !var.enable_deletion_protection
}

resource "aws_backup_vault_lock_configuration" "this" {
  for_each = { for name, backup in local.backups : name => backup if backup.is_locked }

  backup_vault_name  = aws_backup_vault.this[each.key].name
  min_retention_days = each.value.retention_days
}

resource "aws_backup_plan" "this" {
  for_each = local.backups

  name = "${var.name}-tables"

  rule {
    rule_name         = "weekly"
    target_vault_name = aws_backup_vault.this[each.key].name
    schedule          = "cron(0 2 ? * SUN *)" # Sundays, 02:00 UTC

    lifecycle {
      delete_after = each.value.retention_days
    }

    dynamic "copy_action" {
      for_each = each.value.copy_to_vault_arn[*]
      content {
        destination_vault_arn = copy_action.value
        lifecycle {
          delete_after = each.value.retention_days
        }
      }
    }
  }
}

resource "aws_backup_selection" "this" {
  for_each = local.backups

  name         = "tables"
  plan_id      = aws_backup_plan.this[each.key].id
  iam_role_arn = aws_iam_role.backup[each.key].arn
  resources    = var.table_arns
}

resource "aws_iam_role" "backup" {
  for_each = local.backups

  name                 = "${var.name}-backup"
  description          = "AWS Backup copies the tables into the vault."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "backup.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

# The part of AWSBackupServiceRolePolicyForBackup that is about tables.
resource "aws_iam_role_policy" "backup" {
  for_each = local.backups

  name = "backup"
  role = aws_iam_role.backup[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "CopyTables"
        Effect   = "Allow"
        Action   = ["dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:StartAwsBackupJob"]
        Resource = var.table_arns
      },
      {
        Sid      = "FillTheVault"
        Effect   = "Allow"
        Action   = ["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"]
        Resource = concat([aws_backup_vault.this[each.key].arn], each.value.copy_to_vault_arn[*])
      },
      {
        Sid       = "UseTheKey"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
        Resource  = [var.data_key_arn]
        Condition = { StringLike = { "kms:ViaService" = ["backup.*.amazonaws.com", "dynamodb.*.amazonaws.com"] } }
      },
      {
        Sid       = "HandTheKeyToTheService"
        Effect    = "Allow"
        Action    = ["kms:CreateGrant"]
        Resource  = [var.data_key_arn]
        Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
      },
    ]
  })
}
