# Where people sign in to the console (decision 0031): a user pool of Cognito with a second factor, the console's groups, and the console as a
# client. The client is public: it has no secret, and uses an authorization code that PKCE protects. People cannot sign up: an administrator
# invites them and puts them into groups (docs/runbooks/console-people.md).

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  # What a person may do is in functions/console/rights.py, which names the same groups; a test compares them.
  groups = {
    analyst = "Judges cases, and proposes entries of lists."
    lead    = "Judges, reassigns, judges several cases at once, approves changes of rules and lists."
    author  = "Proposes changes of rules and lists, and approves those of others."
    auditor = "Reads everything, and changes nothing."
    admin   = "Ends sessions. Judges nothing."
  }

  issuer = "https://cognito-idp.${data.aws_region.this.name}.${data.aws_partition.this.dns_suffix}/${aws_cognito_user_pool.this.id}"
}

resource "aws_cognito_user_pool" "this" {
  name                = var.name
  deletion_protection = var.enable_deletion_protection ? "ACTIVE" : "INACTIVE"
  mfa_configuration   = "ON"

  # By an app that shows codes: a code by SMS can be taken over with the number.
  software_token_mfa_configuration {
    enabled = true
  }

  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  username_configuration {
    case_sensitive = false
  }

  password_policy {
    minimum_length                   = 14
    require_lowercase                = true
    require_uppercase                = true
    require_numbers                  = true
    require_symbols                  = false # length protects; symbols are forgotten
    password_history_size            = 5
    temporary_password_validity_days = 3
  }

  # The second factor is still needed then.
  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }

  # Cognito asks for a new verification before a changed address counts.
  user_attribute_update_settings {
    attributes_require_verification_before_update = ["email"]
  }

  auto_verified_attributes = ["email"]

  # For people to read, in cases and in the audit trail. Required attributes can only be set when the pool is made.
  schema {
    name                     = "name"
    attribute_data_type      = "String"
    required                 = true
    mutable                  = true
    developer_only_attribute = false
    string_attribute_constraints {
      min_length = "1"
      max_length = "100"
    }
  }

  schema {
    name                     = "email"
    attribute_data_type      = "String"
    required                 = true
    mutable                  = true
    developer_only_attribute = false
    string_attribute_constraints {
      min_length = "3"
      max_length = "254"
    }
  }
}

resource "aws_cognito_user_group" "this" {
  for_each = local.groups

  user_pool_id = aws_cognito_user_pool.this.id
  name         = each.key
  description  = each.value
}

# The pages where people sign in. Their name is one of all accounts in the region, so the account's number is in it.
resource "aws_cognito_user_pool_domain" "this" {
  user_pool_id = aws_cognito_user_pool.this.id
  domain       = "${var.name}-${data.aws_caller_identity.this.account_id}"
}

resource "aws_cognito_user_pool_client" "console" {
  user_pool_id = aws_cognito_user_pool.this.id
  name         = "console"

  # A function's secret would be in its environment, and protects nothing that PKCE does not: the code alone is of no use.
  generate_secret                      = false
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = ["openid", "profile"]
  supported_identity_providers         = ["COGNITO"]
  callback_urls                        = ["${var.console_url}/sign-in/finish"]
  default_redirect_uri                 = "${var.console_url}/sign-in/finish"
  logout_urls                          = ["${var.console_url}/sign-in"]

  # Nobody signs in by Cognito's API instead of its pages: a token from there could change the person's own name.
  explicit_auth_flows           = ["ALLOW_REFRESH_TOKEN_AUTH"]
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true

  # The console reads one identity token and does not keep it; its sessions are its own.
  access_token_validity  = 5
  id_token_validity      = 5
  refresh_token_validity = 60
  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "minutes"
  }

  read_attributes = ["name"]
}
