# A random key in Secrets Manager that is in no state, no plan and no variable: an ephemeral value goes to a write-only argument,
# once. Another value is written only where `version_number` is raised, which changes every token from then on.

ephemeral "aws_secretsmanager_random_password" "key" {
  password_length     = 64
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "this" {
  # checkov:skip=CKV2_AWS_57: a rotation by clock would give one card two tokens; docs/runbooks/ says how it is rotated, and when.
  name                    = var.name
  description             = "What card numbers are tokenised with before they reach Kafka."
  kms_key_id              = var.data_key_arn
  recovery_window_in_days = var.recovery_window_days
}

resource "aws_secretsmanager_secret_version" "this" {
  secret_id                = aws_secretsmanager_secret.this.id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.key.random_password
  secret_string_wo_version = var.version_number
}
