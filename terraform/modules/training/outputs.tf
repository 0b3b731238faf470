output "settings" {
  description = "What `make train ENV=` needs: roles, tables, places in the buckets, and the settings of the job, in SageMaker's words."
  value = {
    trainers_role_arn = aws_iam_role.trainers.arn
    table_arns        = var.table_arns
    bucket            = module.bucket.name
    exports_prefix    = local.exports_prefix
    code_prefix       = local.code_prefix
    proposed_url      = "s3://${var.rules_bucket.name}/${local.proposed_prefix}"
    key_arn           = var.data_key_arn
    job = {
      name_prefix        = var.name
      role_arn           = aws_iam_role.job.arn
      image              = data.aws_sagemaker_prebuilt_ecr_image.this.registry_path
      instance_type      = var.instance_type
      volume_gib         = var.volume_gib
      maximum_hours      = var.maximum_hours
      subnet_ids         = var.subnet_ids
      security_group_ids = [var.security_group_id]
    }
  }
}

output "bucket_arn" {
  description = "ARN of the bucket of the exports that a training reads, which hold every row of the tables."
  value       = module.bucket.arn
}

output "role_names" {
  description = "Names of the roles that touch the exports: the trainers', in whose name DynamoDB writes them, and the job's, which reads them."
  value       = [aws_iam_role.trainers.name, aws_iam_role.job.name]
}

output "exporting_role_name" {
  description = "Name of the role that may export tables: the trainers'."
  value       = aws_iam_role.trainers.name
}
