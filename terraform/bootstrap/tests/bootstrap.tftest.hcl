# The state's bucket, the roles of CI, and the boundary, with a mocked provider.

mock_provider "aws" {
  # Plans only: these resources cannot be destroyed, not even by a test.
  override_during = plan

  # Policies are checked statement by statement, before they become JSON.
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/fraud-dev-boundary" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::fraud-terraform-state-123456789012" }
  }
}

variables {
  region            = "us-east-1"
  account_id        = "123456789012"
  state_bucket_name = "fraud-terraform-state-123456789012"
  environments      = ["dev", "prod"]
  github_repository = "example/payment-fraud-detection"
}

run "the_state_is_versioned_encrypted_and_private" {
  command = plan

  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "An overwritten state must be recoverable."
  }
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.state.rule).apply_server_side_encryption_by_default[0].kms_master_key_id == aws_kms_key.state.arn
    error_message = "The state is encrypted with the customer key."
  }
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.state.block_public_acls, aws_s3_bucket_public_access_block.state.block_public_policy,
      aws_s3_bucket_public_access_block.state.ignore_public_acls, aws_s3_bucket_public_access_block.state.restrict_public_buckets,
    ])
    error_message = "Nothing of the state is public."
  }
  assert {
    condition     = aws_kms_key.state.enable_key_rotation
    error_message = "The state's key is rotated."
  }
}

run "tls_is_required_for_the_bucket_and_its_objects" {
  command = plan

  assert {
    condition = anytrue([
      for statement in data.aws_iam_policy_document.state_bucket.statement :
      statement.effect == "Deny" && statement.actions == toset(["s3:*"]) && statement.resources == toset([aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]) && anytrue([for condition in statement.condition : condition.variable == "aws:SecureTransport"])
    ])
    error_message = "A statement for the bucket alone would allow GetObject over plain HTTP."
  }
}

run "the_plan_role_trusts_pull_requests_and_the_main_branch_of_one_repository" {
  command = plan

  assert {
    condition = anytrue([
      for condition in data.aws_iam_policy_document.plan_trust.statement[0].condition :
      condition.test == "StringEquals" && condition.variable == "token.actions.githubusercontent.com:sub" && toset(condition.values) == toset(["repo:example/payment-fraud-detection:pull_request", "repo:example/payment-fraud-detection:ref:refs/heads/main"])
    ])
    error_message = "The plan role accepts tokens of pull requests and of the main branch, and compares without wildcards."
  }
}

run "a_provider_that_the_account_has_already_is_trusted_and_not_created_again" {
  command = plan

  variables {
    create_github_oidc_provider = false
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "An account has one provider of a URL."
  }
  assert {
    condition = alltrue([
      for document in concat([data.aws_iam_policy_document.plan_trust], values(data.aws_iam_policy_document.apply_trust)) :
      one(document.statement[0].principals).identifiers == toset(["arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"])
    ])
    error_message = "The roles trust the provider that exists."
  }
}

run "the_provider_is_created_where_the_account_has_none" {
  command = plan

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 1
    error_message = "Without the setting the provider is created."
  }
}

run "the_apply_role_names_repository_branch_workflow_and_environment" {
  command = plan

  assert {
    condition = alltrue([
      for environment, document in data.aws_iam_policy_document.apply_trust : alltrue([
        for claim, value in {
          aud              = "sts.amazonaws.com"
          repository       = "example/payment-fraud-detection"
          ref              = "refs/heads/main"
          environment      = environment
          job_workflow_ref = "example/payment-fraud-detection/.github/workflows/environment.yml@refs/heads/main"
          } : anytrue([
            for condition in document.statement[0].condition :
            condition.test == "StringEquals" && condition.variable == "token.actions.githubusercontent.com:${claim}" && condition.values == tolist([value])
        ])
      ])
    ])
    error_message = "Each apply role accepts tokens of the main branch's environment.yml in its own GitHub environment only."
  }
  assert {
    condition     = length([for condition in data.aws_iam_policy_document.plan_trust.statement[0].condition : condition if endswith(condition.variable, ":repository_id")]) == 0
    error_message = "Without its id the repository is trusted by name."
  }
}

run "a_repository_with_an_id_is_trusted_by_name_and_id" {
  command = plan
  variables { github_repository_id = "74" }

  assert {
    condition = alltrue([
      for document in concat([data.aws_iam_policy_document.plan_trust], values(data.aws_iam_policy_document.apply_trust)) : anytrue([
        for condition in document.statement[0].condition :
        condition.test == "StringEquals" && condition.variable == "token.actions.githubusercontent.com:repository_id" && condition.values == tolist(["74"])
      ])
    ])
    error_message = "A repository that took over the name has another id."
  }
}

run "a_repository_whose_subjects_have_ids_is_trusted_by_them" {
  command = plan
  variables { github_subject_repository = "example-12/payment-fraud-detection-74" }

  assert {
    condition = alltrue([
      for environment, document in data.aws_iam_policy_document.apply_trust : anytrue([
        for condition in document.statement[0].condition :
        condition.variable == "token.actions.githubusercontent.com:sub" && condition.values == tolist(["repo:example-12/payment-fraud-detection-74:environment:${environment}"])
      ])
    ])
    error_message = "GitHub's subjects of new repositories have ids (changelog of 23 April 2026)."
  }
}

run "a_subject_with_a_wildcard_is_refused" {
  command = plan
  variables { github_subject_repository = "example*/payment-fraud-detection*" }
  expect_failures = [var.github_subject_repository]
}

run "an_id_with_letters_is_refused" {
  command = plan
  variables { github_repository_id = "example/payment-fraud-detection" }
  expect_failures = [var.github_repository_id]
}

run "the_apply_role_is_bound_to_its_environment" {
  command = plan

  assert {
    condition = alltrue([
      for environment, document in data.aws_iam_policy_document.apply_trust : anytrue([
        for condition in document.statement[0].condition :
        condition.test == "StringEquals" && condition.variable == "token.actions.githubusercontent.com:sub" && condition.values == tolist(["repo:example/payment-fraud-detection:environment:${environment}"])
      ])
    ])
    error_message = "Each apply role accepts tokens of jobs of its own GitHub environment only."
  }
  assert {
    condition     = keys(aws_iam_role.apply) == ["dev", "prod"] && aws_iam_role.apply["prod"].name == "fraud-prod-apply"
    error_message = "There is an apply role for each environment."
  }
}

run "the_plan_role_only_reads" {
  command = plan

  assert {
    condition = alltrue([
      for action in flatten([for statement in data.aws_iam_policy_document.read_settings.statement : statement.actions]) :
      can(regex(":(Describe|Get|GET|List|View)", action)) || action == "states:ValidateStateMachineDefinition" # changes nothing; IAM's access level is Read
    ])
    error_message = "The plan role has a call other than Describe, Get, List and the check of a definition."
  }
  assert {
    condition = alltrue(flatten([
      for document in data.aws_iam_policy_document.plan : [
        for statement in document.statement : alltrue([for action in statement.actions : can(regex("^(s3:GetObject|s3:GetObjectTagging|kms:Decrypt)$", action))]) if statement.effect == "Allow" || statement.effect == null
      ]
    ]))
    error_message = "Beside settings the plan role reads objects that Terraform wrote and the state, and writes nothing."
  }
}

run "the_apply_role_changes_apis_and_user_pools_by_their_tags" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for environment, document in data.aws_iam_policy_document.apply_console : [
        for statement in document.statement : anytrue([
          for condition in statement.condition : endswith(condition.variable, "Tag/Environment") && condition.test == "StringEquals" && condition.values == tolist([environment])
        ]) if !contains(["CallerOfTheConsole", "CountsOfTheAccessLog"], statement.sid)
      ]
    ]))
    error_message = "APIs and user pools have ids alone: their tags say whose they are."
  }
  assert {
    condition = alltrue([
      for document in data.aws_iam_policy_document.apply_console :
      length([for action in flatten([for statement in document.statement : tolist(statement.actions)]) : action if can(regex("Admin|User$|Users", action))]) == 0
    ])
    error_message = "CI makes the user pool, and invites nobody."
  }
}

run "api_gateway_may_be_allowed_to_call_the_console_and_no_other_function" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for documents in [data.aws_iam_policy_document.apply_services, data.aws_iam_policy_document.apply_console] : [
        for environment, document in documents : [
          for statement in document.statement : alltrue([for resource in statement.resources : endswith(resource, ":function:fraud-${environment}-console*")])
          if contains(statement.actions, "lambda:AddPermission") && contains(flatten([for condition in statement.condition : tolist(condition.values)]), "apigateway.amazonaws.com")
        ]
      ]
    ]))
    error_message = "Whoever calls an API gets the function's answer."
  }
}

run "api_gateway_gets_a_role_for_its_logs_only_where_it_is_asked_for" {
  command = plan

  variables {
    enable_api_gateway_logs = true
  }

  assert {
    condition     = length(aws_api_gateway_account.this) == 1 && jsondecode(aws_iam_role.api_gateway_logs[0].assume_role_policy).Statement[*].Principal == [{ Service = "apigateway.amazonaws.com" }]
    error_message = "API Gateway takes the role, and nobody else."
  }
}

run "the_accounts_setting_for_api_gateways_logs_is_left_alone" {
  command = plan

  assert {
    condition     = length(aws_api_gateway_account.this) == 0 && length(aws_iam_role.api_gateway_logs) == 0
    error_message = "Another team may have set it."
  }
}

run "roles_are_created_only_with_the_boundary" {
  command = plan

  assert {
    condition = alltrue([
      for document in data.aws_iam_policy_document.apply_network : alltrue([
        for statement in document.statement :
        anytrue([for condition in statement.condition : condition.variable == "iam:PermissionsBoundary"])
        if(statement.effect == "Allow" || statement.effect == null) && length(setintersection(statement.actions, ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"])) > 0
      ])
    ])
    error_message = "A statement allows creating or extending roles without the boundary."
  }
}

run "the_apply_role_has_no_right_on_a_whole_service" {
  command = plan

  assert {
    condition = alltrue([
      for document in concat(values(data.aws_iam_policy_document.apply_stores), values(data.aws_iam_policy_document.apply_services), values(data.aws_iam_policy_document.apply_console), values(data.aws_iam_policy_document.apply_protection), values(data.aws_iam_policy_document.apply_network)) :
      alltrue([for action in flatten([for statement in document.statement : tolist(statement.actions)]) : !endswith(action, ":*") && action != "*"])
    ])
    error_message = "The apply role's rights are named by what they do."
  }
}

# "CreateSnapshot permission is required to create a final snapshot": API reference of ElastiCache, DeleteReplicationGroup.
run "the_apply_role_may_delete_a_cache_that_leaves_a_last_snapshot" {
  command = plan

  assert {
    condition = alltrue([
      for document in data.aws_iam_policy_document.apply_denials :
      !contains(flatten([for statement in document.statement : tolist(coalesce(statement.actions, []))]), "elasticache:CreateSnapshot")
    ])
    error_message = "A deny of CreateSnapshot refuses every destroy of a protected environment."
  }
}

run "an_account_id_of_other_than_12_digits_is_refused" {
  command = plan
  variables { account_id = "12345" }
  expect_failures = [var.account_id]
}

run "an_unknown_region_is_refused" {
  command = plan
  variables { region = "Virginia" }
  expect_failures = [var.region]
}

run "a_project_that_starts_with_a_digit_is_refused" {
  command = plan
  variables { project = "1fraud" }
  expect_failures = [var.project]
}

run "a_bucket_name_with_capitals_is_refused" {
  command = plan
  variables { state_bucket_name = "Fraud-State" }
  expect_failures = [var.state_bucket_name]
}

run "no_environment_is_refused" {
  command = plan
  variables { environments = [] }
  expect_failures = [var.environments]
}

run "a_repository_with_a_wildcard_is_refused" {
  command = plan
  variables { github_repository = "example/*" }
  expect_failures = [var.github_repository]
}

run "a_branch_with_a_wildcard_is_refused" {
  command = plan
  variables { main_branch = "*" }
  expect_failures = [var.main_branch]
}

run "versions_of_a_state_are_kept_for_a_month_at_least" {
  command = plan
  variables { state_version_days = 7 }
  expect_failures = [var.state_version_days]
}
