output "role_arns" {
  description = "By producer: ARN of the role that it takes on."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}

output "label_role_arns" {
  description = "By producer of labels: ARN of the role that it takes on."
  value       = { for name, role in aws_iam_role.labels : name => role.arn }
}
