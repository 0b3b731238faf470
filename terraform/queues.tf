# The queues that functions read (a trigger of type `queue`), by the name in the trigger. They are made here and not with their functions,
# since other functions, the ingestion job and producers send to them. modules/function says where each dead-letters a message.

locals {
  # Lambda's guide asks for six of the function's time-outs and the batching window: retries after throttling fit into them. A message
  # that fails comes again after this time.
  visibility_seconds_by_queue = {
    for function in values(local.functions) :
    function.trigger.queue => 6 * function.timeout_seconds + function.trigger.batch_window_seconds if function.trigger.type == "queue"
  }
}

resource "aws_sqs_queue" "source" {
  for_each = local.visibility_seconds_by_queue

  name                              = "${local.name}-${replace(each.key, "_", "-")}"
  visibility_timeout_seconds        = each.value
  message_retention_seconds         = 14 * 24 * 3600 # the maximum of SQS; the time in the dead-letter queue counts too
  kms_master_key_id                 = module.encryption.data_key_arn
  kms_data_key_reuse_period_seconds = 300
}

resource "aws_sqs_queue_policy" "source" {
  for_each = aws_sqs_queue.source

  queue_url = each.value.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = each.value.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
