output "state_bucket_name" {
  description = "Name of the state bucket; `bucket` in each environment's backend.hcl."
  value       = aws_s3_bucket.state.bucket
}

output "plan_role_arn_by_environment" {
  description = "ARN of the role that plans, by environment; the repository's variable PLAN_ROLE_ARN_<ENVIRONMENT>."
  value       = { for name, role in aws_iam_role.plan : name => role.arn }
}

output "apply_role_arn_by_environment" {
  description = "ARN of the role that applies, by environment; the variable APPLY_ROLE_ARN of the GitHub environment."
  value       = { for name, role in aws_iam_role.apply : name => role.arn }
}

output "permissions_boundary_arn_by_environment" {
  description = "ARN of the permissions boundary of every role of the root module, by environment; `permissions_boundary_arn` in the environment's variables."
  value       = { for name, policy in aws_iam_policy.boundary : name => policy.arn }
}
