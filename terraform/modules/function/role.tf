# The function's role. `runtime` is what Lambda itself needs to create the function; `access` is what the function's code uses, from
# function.yaml; `source` is what the event source mapping reads for the function.

locals {
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.name
  account_id = data.aws_caller_identity.current.account_id

  # Each kind of `access` entry in IAM: the service of its actions, and the service that uses the customer key for it. `key` is a
  # concern of key_arns; null if the target is not encrypted with one of our keys.
  kinds = {
    table  = { service = "dynamodb", key = "data", is_key_written = false }
    queue  = { service = "sqs", key = "data", is_key_written = true }
    bucket = { service = "s3", key = "data", is_key_written = true }
    topic  = { service = "sns", key = "alerts", is_key_written = true }
    cache  = { service = "elasticache", key = null, is_key_written = false } # the token is signed, nothing is called
    rules  = { service = "appconfig", key = null, is_key_written = false }
    kafka  = { service = "kafka-cluster", key = null, is_key_written = false }
    key    = { service = "kms", key = null, is_key_written = false }

    function = { service = "lambda", key = null, is_key_written = false }
    metrics  = { service = "cloudwatch", key = null, is_key_written = false }
  }

  # MSK's ARNs of topics and groups are derived from the cluster's.
  kafka_topic_arns      = { for topic, name in var.targets.kafka.topic_names : topic => "${replace(var.targets.kafka.cluster_arn, ":cluster/", ":topic/")}/${name}" }
  kafka_group_arn_start = replace(var.targets.kafka.cluster_arn, ":cluster/", ":group/")

  target_arns = merge(
    { for name, table in var.targets.tables : "table.${name}" => [table.arn] },
    { for name, queue in var.targets.queues : "queue.${name}" => [queue.arn] },
    { for name, bucket in var.targets.buckets : "bucket.${name}" => [bucket.arn] },
    { for name, topic in var.targets.topics : "topic.${name}" => [topic.arn] },
    { "cache.profiles" = [var.targets.cache.replication_group_arn, var.targets.cache.user_arn] },
    { "rules.ruleset" = [var.targets.rules.configuration_arn], "rules.deployments" = var.targets.rules.deployment_arns },
    { for topic, arn in local.kafka_topic_arns : "kafka.${topic}" => [arn] },
    { for name, key in var.targets.keys : "key.${name}" => [key.arn] },
    { for name, function in var.targets.functions : "function.${name}" => [function.arn] },
    { "metrics.all" = ["*"] }, # reading metrics cannot be limited to a resource
  )

  # A bucket's objects and the list of their keys are different resources, so an entry that has both becomes two.
  list_actions = ["ListBucket"]
  access = [
    for entry in concat(
      [for entry in local.spec.access : merge(entry, { is_list = false, actions = [for action in entry.actions : action if !contains(local.list_actions, action)] })],
      [for entry in local.spec.access : merge(entry, { is_list = true, actions = [for action in entry.actions : action if contains(local.list_actions, action)] })],
    ) : entry if length(entry.actions) > 0
  ]

  entries = [
    for entry in local.access : {
      kind    = one([for key in keys(entry) : key if contains(keys(local.kinds), key)])
      name    = one([for key, value in entry : value if contains(keys(local.kinds), key)])
      actions = entry.actions
      index   = lookup(entry, "index", null)
      prefix  = lookup(entry, "prefix", null)
      is_list = entry.is_list
      path    = contains(keys(entry), "bucket") ? (entry.is_list ? "" : "/${lookup(entry, "prefix", "")}*") : contains(keys(entry), "index") ? "/index/${entry.index}" : ""

      # Of a table, the partition keys that may be named: DynamoDB checks them, also in a condition of a query.
      leading_keys = contains(keys(entry), "table") && contains(keys(entry), "prefix") ? ["${entry.prefix}*"] : []
    }
  ]
  unknown_targets = sort([for entry in local.entries : "${entry.kind}.${entry.name}" if !contains(keys(local.target_arns), "${entry.kind}.${entry.name}")])

  access_statements = concat(
    [
      for entry in local.entries : merge(
        {
          # Unique in the policy, as IAM demands: letters and digits of what the entry names.
          Sid      = join("", [for word in split("_", replace(join("_", compact([entry.kind, entry.name, entry.index, entry.prefix, entry.is_list ? "list" : ""])), "/[^0-9A-Za-z]+/", "_")) : title(word)])
          Effect   = "Allow"
          Action   = [for action in entry.actions : "${local.kinds[entry.kind].service}:${action}"]
          Resource = [for arn in lookup(local.target_arns, "${entry.kind}.${entry.name}", []) : "${arn}${entry.path}"]
        },
        { for pattern in entry.leading_keys : "Condition" => { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = [pattern] } } },
        { for prefix in entry.is_list ? compact([entry.prefix]) : [] : "Condition" => { StringLike = { "s3:prefix" = ["${prefix}*"] } } },
      )
    ],
    [
      for key in ["data", "alerts"] : {
        Sid      = "ReadWith${title(key)}Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [var.key_arns[key]]
        Condition = {
          StringEquals = { "kms:ViaService" = [for service in local.key_services[key] : "${service}.${local.region}.amazonaws.com"] }
        }
      } if length(local.key_services[key]) > 0
    ],
    [
      for key in ["data", "alerts"] : {
        Sid      = "WriteWith${title(key)}Key"
        Effect   = "Allow"
        Action   = ["kms:GenerateDataKey"]
        Resource = [var.key_arns[key]]
        Condition = {
          StringEquals = { "kms:ViaService" = [for service in local.key_writing_services[key] : "${service}.${local.region}.amazonaws.com"] }
        }
      } if length(local.key_writing_services[key]) > 0
    ],
    [
      for cluster_arn in [var.targets.kafka.cluster_arn] : {
        Sid      = "ConnectToKafka"
        Effect   = "Allow"
        Action   = ["kafka-cluster:Connect"]
        Resource = [cluster_arn]
      } if contains(local.entries[*].kind, "kafka")
    ],
  )

  key_services         = { for key in ["data", "alerts"] : key => distinct([for entry in local.entries : local.kinds[entry.kind].service if local.kinds[entry.kind].key == key]) }
  key_writing_services = { for key in ["data", "alerts"] : key => distinct([for entry in local.entries : local.kinds[entry.kind].service if local.kinds[entry.kind].key == key && local.kinds[entry.kind].is_key_written]) }

  network_actions = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
  ]
}

resource "aws_iam_role" "this" {
  name                 = local.function_name
  description          = "What the function ${local.function_name} may use, and nothing else."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "runtime" {
  # X-Ray's actions and EC2's on network interfaces cannot be limited to a resource; the function's own code is denied the latter (decision 0013)
  name = "runtime"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "WriteLog"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = ["${aws_cloudwatch_log_group.this.arn}:*"]
        },
        {
          Sid      = "WriteTraces"
          Effect   = "Allow"
          Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
          Resource = ["*"]
        },
        {
          Sid      = "DeadLetter"
          Effect   = "Allow"
          Action   = ["sqs:SendMessage"]
          Resource = [aws_sqs_queue.dead_letter.arn]
        },
        {
          Sid      = "DeadLetterEncrypted"
          Effect   = "Allow"
          Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
          Resource = [var.key_arns.data]
          Condition = {
            StringEquals = { "kms:ViaService" = "sqs.${local.region}.amazonaws.com" }
          }
        },
      ],
      # Lambda writes with this role what it dead-letters, and so does the stage itself.
      [
        for bucket in values(module.dead_letter_bucket) : {
          Sid      = "DeadLetterWithContent"
          Effect   = "Allow"
          Action   = ["s3:ListBucket", "s3:PutObject"]
          Resource = [bucket.arn, "${bucket.arn}/*"]
        }
      ],
      [
        for bucket in values(module.dead_letter_bucket) : {
          Sid      = "DeadLetterWithContentEncrypted"
          Effect   = "Allow"
          Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
          Resource = [var.key_arns.data]
          Condition = {
            StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" }
          }
        }
      ],
      [
        for actions in [local.network_actions] : {
          Sid      = "JoinNetwork"
          Effect   = "Allow"
          Action   = actions
          Resource = ["*"]
        } if local.is_in_vpc
      ],
      # Lambda creates the interfaces with this role; the function's code must not use them.
      [
        for actions in [local.network_actions] : {
          Sid      = "LeaveNetworkAlone"
          Effect   = "Deny"
          Action   = actions
          Resource = ["*"]
          Condition = {
            ArnEquals = { "lambda:SourceFunctionArn" = ["arn:${local.partition}:lambda:${local.region}:${local.account_id}:function:${local.function_name}"] }
          }
        } if local.is_in_vpc
      ],
    )
  })
}

resource "aws_iam_role_policy" "access" {
  for_each = length(local.entries) > 0 ? { access = local.access_statements } : {}

  name   = each.key
  role   = aws_iam_role.this.id
  policy = jsonencode({ Version = "2012-10-17", Statement = each.value })

  lifecycle {
    precondition {
      condition     = length(local.unknown_targets) == 0
      error_message = "functions/${var.function}/function.yaml: access has unknown targets: ${join(", ", local.unknown_targets)}."
    }
  }
}
