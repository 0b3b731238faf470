output "issuer" {
  description = "The identity provider as its tokens name it."
  value       = local.issuer
}

output "discovery_url" {
  description = "URL of the document of the provider's endpoints."
  value       = "${local.issuer}/.well-known/openid-configuration"
}

output "client_id" {
  description = "Id of the console's client; it has no secret."
  value       = aws_cognito_user_pool_client.console.id
}

output "user_pool_id" {
  description = "Id of the user pool, for the runbook that invites people."
  value       = aws_cognito_user_pool.this.id
}
