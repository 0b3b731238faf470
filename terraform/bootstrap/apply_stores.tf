# The apply role: what stores payments, and its keys.

data "aws_iam_policy_document" "apply_stores" {
  for_each = var.environments

  statement {
    sid = "Tables"
    actions = [
      "dynamodb:CreateTable", "dynamodb:DeleteTable", "dynamodb:TagResource", "dynamodb:UntagResource",
      "dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive",
    ]
    resources = ["${local.arn.dynamodb}:table/${local.prefix[each.key]}-*"]
  }

  statement {
    sid       = "Cache"
    actions   = ["elasticache:AddTags*", "elasticache:Create*", "elasticache:Decrease*", "elasticache:Delete*", "elasticache:Increase*", "elasticache:Modify*", "elasticache:RemoveTags*"]
    resources = ["${local.arn.elasticache}:*:${local.prefix[each.key]}-*"]
  }

  statement {
    sid       = "Brokers"
    actions   = ["kafka:Create*", "kafka:Delete*", "kafka:RebootBroker", "kafka:TagResource", "kafka:UntagResource", "kafka:Update*"]
    resources = ["${local.arn.kafka}:*/${local.prefix[each.key]}/*", "${local.arn.kafka}:*/${local.prefix[each.key]}-*"]
  }

  statement {
    sid       = "Queues"
    actions   = ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue"]
    resources = ["${local.arn.sqs}:${local.prefix[each.key]}-*"]
  }

  # Deleting objects is emptying a bucket that is destroyed; reading them is denied.
  statement {
    sid = "Buckets"
    actions = [
      "s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:DeleteObject", "s3:DeleteObjectVersion",
      "s3:ListBucketVersions", "s3:PutBucketLogging", "s3:PutBucketNotification", "s3:PutBucketObjectLockConfiguration", "s3:PutBucketOwnershipControls", "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock",
      "s3:PutBucketTagging", "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration",
    ]
    resources = ["arn:${local.partition}:s3:::${local.prefix[each.key]}-*"]
  }

  # Emptying the bucket of audit heads where they are locked in governance mode. Nothing is emptied that is locked in compliance mode.
  statement {
    sid       = "LockedHeads"
    actions   = ["s3:BypassGovernanceRetention"]
    resources = ["arn:${local.partition}:s3:::${local.prefix[each.key]}-audit-heads-*"]
  }

  statement {
    sid       = "WhatTheJobRuns"
    actions   = ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectTagging"]
    resources = ["arn:${local.partition}:s3:::${local.prefix[each.key]}-work-*/artifacts/*"]
  }

  statement {
    sid       = "ItsState"
    actions   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    resources = ["${aws_s3_bucket.state.arn}/${local.state_key[each.key]}", "${aws_s3_bucket.state.arn}/${local.state_key[each.key]}.tflock"]
  }

  statement {
    sid       = "UseTheStateKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.state.arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }

  # Keys have ids, so their tags say whose they are. A new key has no tag yet.
  statement {
    sid       = "NewKeys"
    actions   = ["kms:CreateKey", "kms:TagResource"]
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
    sid = "Keys"
    actions = [
      "kms:CreateAlias", "kms:DeleteAlias", "kms:DisableKey", "kms:DisableKeyRotation", "kms:EnableKey", "kms:EnableKeyRotation",
      "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias",
      "kms:UpdateKeyDescription",
    ]
    resources = ["${local.arn.kms}:key/*"]
    dynamic "condition" {
      for_each = local.tags[each.key]
      content {
        test     = "StringEquals"
        variable = "aws:ResourceTag/${condition.key}"
        values   = [condition.value]
      }
    }
  }

  statement {
    sid       = "NamesOfKeys"
    actions   = ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"]
    resources = ["${local.arn.kms}:alias/${local.prefix[each.key]}-*"]
  }

  # A service that stores something under the key gets a grant from whoever creates the store.
  statement {
    sid       = "GrantsForServices"
    actions   = ["kms:CreateGrant"]
    resources = ["${local.arn.kms}:key/*"]
    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Environment"
      values   = [each.key]
    }
  }

  statement {
    sid       = "KeysThroughServices"
    actions   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = ["${local.arn.kms}:key/*"]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = [for service in ["dynamodb", "s3"] : "${service}.${var.region}.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Environment"
      values   = [each.key]
    }
  }
}
