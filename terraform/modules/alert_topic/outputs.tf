output "topic_arn" {
  description = "ARN of the topic."
  value       = aws_sns_topic.this.arn
}

output "topic_name" {
  description = "Name of the topic; the dimension `TopicName` of its metrics."
  value       = aws_sns_topic.this.name
}

output "redrive_queues" {
  description = "By subscription: name, URL and ARN of the queue of messages that could not be delivered."
  value       = { for name, queue in aws_sqs_queue.redrive : name => { name = queue.name, url = queue.url, arn = queue.arn } }
}

output "delivery_role_arn" {
  description = "ARN of the role with which SNS logs deliveries; the account's settings of SMS use it too."
  value       = aws_iam_role.delivery_log.arn
}

output "canary_attribute" {
  description = "Attribute of the canary's messages, which every subscription of this module filters out."
  value       = local.canary_attribute
}
