# How another team's service writes to the topic: a role for each producer, which its own principals take on, also from another account.
# It may write records to this topic and nothing else: it reads none, creates no topic, and belongs to no consumer group. labels.tf does the
# same for labels of payments.

locals {
  # Single roles and users: a whole account would let everybody in it decide who writes payments.
  trusted = {
    for name, producer in var.producers : name => {
      Sid       = "TheProducersOwnPrincipals"
      Effect    = "Allow"
      Principal = { AWS = producer.principal_arns }
      Action    = "sts:AssumeRole"
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = var.producers

  name                 = "${var.name}-producer-${each.key}"
  description          = "Writes payments to ${var.kafka.topic}, as the producer ${each.key}."
  permissions_boundary = var.permissions_boundary_arn
  max_session_duration = 3600
  assume_role_policy   = jsonencode({ Version = "2012-10-17", Statement = [local.trusted[each.key]] })
}

resource "aws_iam_role_policy" "this" {
  for_each = aws_iam_role.this

  name = "produce"
  role = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # WriteDataIdempotently lets the client write each record once, even if it sends one twice.
        Sid      = "ConnectToTheCluster"
        Effect   = "Allow"
        Action   = ["kafka-cluster:Connect", "kafka-cluster:WriteDataIdempotently"]
        Resource = [var.kafka.cluster_arn]
      },
      {
        Sid      = "WriteToTheTopic"
        Effect   = "Allow"
        Action   = ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"]
        Resource = [var.kafka.topic_arn]
      },
    ]
  })
}
