output "secret_arn" {
  description = "ARN of the secret; its value is in Secrets Manager only."
  # The version's, so that whoever reads the secret is made after it has a value.
  value = aws_secretsmanager_secret_version.this.arn
}
