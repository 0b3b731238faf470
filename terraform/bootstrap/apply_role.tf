# The apply role manages the resources of its own environment, by name where their ARNs have one and by tag where they have an id
# alone. It reads and opens no payments (apply_denials.tf), and gives no role a right that the boundary lacks. Decision 0018 lists what is
# left. Each policy is shorter than IAM's limit of 6,144 characters; a test counts them.

locals {
  # Services to which the apply role may pass roles.
  passed_services = [
    "application-autoscaling.amazonaws.com", "appconfig.amazonaws.com", "events.amazonaws.com", "glue.amazonaws.com",
    "backup.amazonaws.com", "cloudtrail.amazonaws.com", "lambda.amazonaws.com", "malware-protection-plan.guardduty.amazonaws.com", "sns.amazonaws.com", "states.amazonaws.com", "vpc-flow-logs.amazonaws.com",
  ]

  # Services that call the functions that Terraform gives them. API Gateway calls the console alone (apply_console.tf).
  invoking_services = ["appconfig.amazonaws.com", "events.amazonaws.com"]

  # The tags that the root module's provider puts on everything.
  tags = { for environment in var.environments : environment => { Project = var.project, Environment = environment } }
}

locals {
  # The apply role's own policies: name to JSON, by environment.
  apply_policies = {
    for pair in setproduct(var.environments, ["stores", "services", "console", "protection", "network", "denials"]) : "${pair[0]}-${pair[1]}" => {
      environment = pair[0]
      name        = pair[1]
      json = {
        stores     = data.aws_iam_policy_document.apply_stores[pair[0]].json
        console    = data.aws_iam_policy_document.apply_console[pair[0]].json
        services   = data.aws_iam_policy_document.apply_services[pair[0]].json
        protection = data.aws_iam_policy_document.apply_protection[pair[0]].json
        network    = data.aws_iam_policy_document.apply_network[pair[0]].json
        denials    = data.aws_iam_policy_document.apply_denials[pair[0]].json
      }[pair[1]]
    }
  }
}

resource "aws_iam_policy" "apply" {
  for_each = local.apply_policies

  name        = "${local.prefix[each.value.environment]}-apply-${each.value.name}"
  description = "What ${local.prefix[each.value.environment]}-apply may do: ${each.value.name}."
  policy      = each.value.json
}

resource "aws_iam_role_policy_attachment" "apply" {
  for_each = local.apply_policies

  role       = aws_iam_role.apply[each.value.environment].name
  policy_arn = aws_iam_policy.apply[each.key].arn
}

# It reads the same settings as the plan role.
resource "aws_iam_role_policy_attachment" "apply_reads" {
  for_each = var.environments

  role       = aws_iam_role.apply[each.key].name
  policy_arn = aws_iam_policy.read_settings.arn
}
