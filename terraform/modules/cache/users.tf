# Who may sign in, and what they may do. The one user signs in with an IAM token that is valid for 15 minutes: there is no password to
# store, to rotate or to find in the state.

locals {
  access = yamldecode(file(var.access_file))
  access_string = join(" ", concat(
    ["on"], [for pattern in local.access.keys : "~${pattern}"],
    ["resetchannels", "-@all"], [for command in local.access.commands : "+${command}"],
  ))
}

resource "aws_elasticache_user" "profiles" {
  user_id       = local.group_id
  user_name     = local.group_id # IAM authentication requires a name that equals the id
  engine        = var.engine
  access_string = local.access_string

  authentication_mode {
    type = "iam"
  }
}

# Redis OSS requires a user named `default` in the group; a client without a name signs in as it. It is disabled.
resource "aws_elasticache_user" "default" {
  count = var.engine == "redis" ? 1 : 0

  user_id       = "${var.name}-off"
  user_name     = "default"
  engine        = "redis"
  access_string = "off ~* -@all"

  authentication_mode {
    type = "no-password-required"
  }
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = local.group_id
  engine        = var.engine
  user_ids      = concat([aws_elasticache_user.profiles.user_id], aws_elasticache_user.default[*].user_id)
}
