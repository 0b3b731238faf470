output "role_names" {
  description = "Names of the roles that read payments to scan and to copy them."
  value       = [for role in concat(values(aws_iam_role.scan), values(aws_iam_role.backup)) : role.name]
}
