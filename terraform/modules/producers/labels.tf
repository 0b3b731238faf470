# Who says what payments were: a role for each, which may send messages to the labels queue, drop files below `labels/<its name>/` of the
# landing bucket, and do nothing else. It reads none, since they hold what others have said.

data "aws_region" "this" {}

resource "aws_iam_role" "labels" {
  for_each = var.label_producers

  name                 = "${var.name}-labels-${each.key}"
  description          = "Sends labels of payments, as the producer ${each.key}."
  permissions_boundary = var.permissions_boundary_arn
  max_session_duration = 3600
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TheProducersOwnPrincipals"
      Effect    = "Allow"
      Principal = { AWS = each.value.principal_arns }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "labels" {
  for_each = aws_iam_role.labels

  name = "send-labels"
  role = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "SendLabels"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = [var.label_queue.arn]
      },
      {
        # SQS needs both to write to an encrypted queue ("Configuring AWS KMS permissions"), and uses the key for this queue alone.
        Sid      = "SendLabelsEncrypted"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [var.label_queue.key_arn]
        Condition = {
          StringEquals = {
            "kms:ViaService"                    = "sqs.${data.aws_region.this.name}.amazonaws.com"
            "kms:EncryptionContext:aws:sqs:arn" = var.label_queue.arn
          }
        }
      },
      {
        # The prefix is that of the producer's mapping, where it has one.
        Sid      = "DropFiles"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["${var.landing_bucket_arn}/labels/${each.key}/*"]
      },
      {
        # Decrypt is for uploads in several parts. The bucket has a bucket key, so the context is the bucket.
        Sid      = "DropFilesEncrypted"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [var.label_queue.key_arn]
        Condition = {
          StringEquals = {
            "kms:ViaService"                   = "s3.${data.aws_region.this.name}.amazonaws.com"
            "kms:EncryptionContext:aws:s3:arn" = var.landing_bucket_arn
          }
        }
      },
    ]
  })
}
