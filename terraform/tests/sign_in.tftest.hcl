# Where people sign in: who may have an account, what they need to sign in, and what the console is to the identity provider.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name        = "fraud-test-console"
  console_url = "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/v1"
}

run "nobody_gets_in_without_an_invitation_and_a_second_factor" {
  command = apply
  module {
    source = "./modules/sign_in"
  }

  assert {
    condition     = aws_cognito_user_pool.this.admin_create_user_config[0].allow_admin_create_user_only
    error_message = "People cannot sign up."
  }
  assert {
    condition     = aws_cognito_user_pool.this.mfa_configuration == "ON" && aws_cognito_user_pool.this.software_token_mfa_configuration[0].enabled && length(aws_cognito_user_pool.this.sms_configuration) == 0
    error_message = "Everybody has a second factor, and no telephone number is one."
  }
  assert {
    condition     = aws_cognito_user_pool.this.password_policy[0].minimum_length == 14 && aws_cognito_user_pool.this.password_policy[0].temporary_password_validity_days == 3
    error_message = "Passwords are long, and invitations end."
  }
  assert {
    condition     = aws_cognito_user_pool.this.deletion_protection == "ACTIVE"
    error_message = "Without saying so, nobody loses all people."
  }
}

run "people_can_be_lost_where_the_environment_says_so" {
  command = apply
  module {
    source = "./modules/sign_in"
  }
  variables {
    enable_deletion_protection = false
  }

  assert {
    condition     = aws_cognito_user_pool.this.deletion_protection == "INACTIVE"
    error_message = "An environment that may be destroyed can be."
  }
}

run "the_console_is_a_public_client_that_takes_codes_alone" {
  command = apply
  module {
    source = "./modules/sign_in"
  }

  assert {
    condition     = !aws_cognito_user_pool_client.console.generate_secret && aws_cognito_user_pool_client.console.allowed_oauth_flows == toset(["code"]) && aws_cognito_user_pool_client.console.allowed_oauth_flows_user_pool_client
    error_message = "There is no secret to lose, and no token in an address."
  }
  assert {
    condition     = aws_cognito_user_pool_client.console.allowed_oauth_scopes == toset(["openid", "profile"]) && aws_cognito_user_pool_client.console.explicit_auth_flows == toset(["ALLOW_REFRESH_TOKEN_AUTH"])
    error_message = "Its tokens change nothing at the provider, and passwords are typed on the provider's pages alone."
  }
  assert {
    condition     = aws_cognito_user_pool_client.console.callback_urls == toset(["https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/v1/sign-in/finish"]) && aws_cognito_user_pool_client.console.logout_urls == toset(["https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/v1/sign-in"])
    error_message = "People are sent back to the console, with the stage's path, and nowhere else."
  }
  assert {
    condition     = aws_cognito_user_pool_client.console.prevent_user_existence_errors == "ENABLED" && aws_cognito_user_pool_client.console.id_token_validity == 5 && aws_cognito_user_pool_client.console.token_validity_units[0].id_token == "minutes"
    error_message = "Nobody learns who has an account; a token is of use for minutes."
  }
}

run "the_groups_are_those_of_the_console" {
  command = apply
  module {
    source = "./modules/sign_in"
  }

  assert {
    condition     = toset(keys(aws_cognito_user_group.this)) == toset(["admin", "analyst", "auditor", "author", "lead"])
    error_message = "People are in groups that have rights."
  }
}

run "outputs_are_what_the_console_checks_tokens_by" {
  command = apply
  module {
    source = "./modules/sign_in"
  }

  assert {
    condition     = output.issuer == "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI" && output.discovery_url == "${output.issuer}/.well-known/openid-configuration" && output.client_id == "1example23456789"
    error_message = "Issuer, document and client are those of the pool."
  }
  assert {
    condition     = aws_cognito_user_pool_domain.this.domain == "fraud-test-console-123456789012"
    error_message = "The name of its pages is no other account's."
  }
}

run "refuses_a_name_that_cognito_refuses" {
  command = plan
  module {
    source = "./modules/sign_in"
  }
  variables {
    name = "fraud-aws-console"
  }
  expect_failures = [var.name]
}
