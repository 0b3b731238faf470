# The console, where an environment has one. Its function is made with the others (functions.tf); here are its API and where people sign in.
# Function and API need each other: the function has the API's address in its environment, and the API calls the function's alias. The
# address depends on the API alone, so there is no cycle.

locals {
  # The console's address, to which alerts link, is empty without a console.
  console_references = merge(
    { "console.url" = var.console == null ? "" : module.http[0].url },
    merge([for provider in module.sign_in : {
      "identity.issuer"        = provider.issuer
      "identity.discovery_url" = provider.discovery_url
      "identity.client_id"     = provider.client_id
    }]...),
  )
}

module "http" {
  source = "./modules/http"
  count  = var.console == null ? 0 : 1

  name               = "${local.name}-console"
  access             = var.console
  vpc                = { id = module.network.vpc_id, subnet_ids = slice(module.network.subnet_ids, 0, var.endpoint_zone_count) }
  metrics_namespace  = local.metrics_namespace
  logs_key_arn       = module.encryption.logs_key_arn
  log_retention_days = var.log_retention_days

  function = {
    function_name = module.functions["console"].function_name
    alias_name    = module.functions["console"].alias_name
    alias_arn     = module.functions["console"].alias_arn
  }
}

module "sign_in" {
  source = "./modules/sign_in"
  count  = var.console == null ? 0 : 1

  name                       = "${local.name}-console"
  console_url                = module.http[0].url
  enable_deletion_protection = var.enable_deletion_protection
}
