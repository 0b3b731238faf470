# The apply role: what records, scans, copies and counts.

data "aws_iam_policy_document" "apply_protection" {
  for_each = var.environments

  statement {
    sid       = "Trail"
    actions   = ["cloudtrail:AddTags", "cloudtrail:CreateTrail", "cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors", "cloudtrail:RemoveTags", "cloudtrail:StartLogging", "cloudtrail:UpdateTrail", "logs:DeleteMetricFilter", "logs:PutMetricFilter"]
    resources = ["${local.arn.cloudtrail}:trail/${local.prefix[each.key]}-*", "${local.arn.logs}:log-group:/aws/cloudtrail/${local.prefix[each.key]}"]
  }

  statement {
    sid       = "Vault"
    actions   = ["backup:CreateBackupVault", "backup:DeleteBackupVault", "backup:PutBackupVaultLockConfiguration", "backup:TagResource", "backup:UntagResource"]
    resources = ["${local.arn.backup}:backup-vault:${local.prefix[each.key]}-*"]
  }

  # Plans of backups and scans have ids alone.
  statement {
    sid       = "NewPlans"
    actions   = ["backup:CreateBackupPlan", "backup:TagResource", "guardduty:CreateMalwareProtectionPlan", "guardduty:TagResource"]
    resources = ["*"]
    dynamic "condition" {
      for_each = local.tags[each.key]
      content {
        test     = "StringEquals"
        variable = "aws:RequestTag/${condition.key}"
        values   = [condition.value]
      }
    }
    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/Environment"
      values   = [each.key]
    }
  }

  statement {
    sid       = "Plans"
    actions   = ["backup:*BackupPlan", "backup:*BackupSelection", "guardduty:*MalwareProtectionPlan"]
    resources = ["${local.arn.backup}:backup-plan:*", "${local.arn.guardduty}:malware-protection-plan/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Environment"
      values   = [each.key]
    }
  }

  statement {
    sid       = "Budget"
    actions   = ["budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource"]
    resources = ["arn:${local.partition}:budgets::${var.account_id}:budget/${local.prefix[each.key]}-*"]
  }
}
