output "script_url" {
  description = "S3 URL of the script."
  value       = "s3://${var.bucket_name}/${aws_s3_object.script.key}"
}

output "arguments" {
  description = "The job's arguments that name packages and wheels."
  value       = local.arguments
}
