# The bucket for what the mapping of a stream dead-letters: Lambda stores the records there with their content, which a message in a
# queue does not hold, and which the stream drops after 24 hours. EventBridge announces each object in the dead-letter queue; S3's own
# notifications would send it a test message at every change, which pages.

locals {
  bucket_triggers = { for trigger in [local.trigger] : trigger.type => trigger if lookup(trigger, "on_failure", "") == "dead_letter_bucket" }
}

module "dead_letter_bucket" {
  source   = "../bucket"
  for_each = local.bucket_triggers

  bucket                     = "${local.function_name}-dead-letter-${local.account_id}"
  expiry_by_prefix           = { "" = { days = 21 } } # a week longer than SQS keeps the message that names it
  enable_events              = true
  access_log_bucket          = var.access_log_bucket
  enable_deletion_protection = var.enable_deletion_protection
  key_arn                    = var.key_arns.data
}

resource "aws_cloudwatch_event_rule" "dead_letter" {
  for_each = module.dead_letter_bucket

  name        = "${local.function_name}-dead-letter"
  description = "Records of a stream that were dead-lettered with their content."
  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail      = { bucket = { name = [each.value.name] } }
  })
}

resource "aws_cloudwatch_event_target" "dead_letter" {
  for_each = aws_cloudwatch_event_rule.dead_letter

  rule = each.value.name
  arn  = aws_sqs_queue.dead_letter.arn
}
