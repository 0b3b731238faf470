output "role_arns" {
  description = "By producer: ARN of the role that it takes on."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}
