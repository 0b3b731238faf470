variable "project" {
  description = "Prefix of every name, as in the root module."
  type        = string
  default     = "fraud"
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,15}$", var.project))
    error_message = "project is ${var.project}; it must be 2 to 16 characters of a-z, 0-9 and -, starting with a letter."
  }
}

variable "region" {
  description = "Region of the state bucket and of the resources that are applied with it."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is ${var.region}; it must be the name of an AWS region, such as us-east-1."
  }
}

variable "account_id" {
  description = "The account to apply this in; credentials of another account are refused."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id is ${var.account_id}; it must be 12 digits."
  }
}

variable "state_bucket_name" {
  description = "The bucket of the state, as in the backend files. Bucket names are unique in all of AWS."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.state_bucket_name))
    error_message = "state_bucket_name is ${var.state_bucket_name}; it must be 3 to 63 characters of a-z, 0-9 and -."
  }
}

variable "environments" {
  description = "Environments that are applied in this account: each gets a plan role, an apply role and a permissions boundary."
  type        = set(string)
  nullable    = false
  validation {
    condition     = length(var.environments) > 0 && alltrue([for e in var.environments : can(regex("^[a-z][a-z0-9]{1,11}$", e))])
    error_message = "environments is ${jsonencode(var.environments)}; it must have one or more names of 2 to 12 characters of a-z and 0-9, starting with a letter."
  }
}

variable "github_repository" {
  description = "The repository whose workflows may assume the roles, as owner/name."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "github_repository is ${var.github_repository}; it must be owner/name without a wildcard."
  }
}

variable "github_repository_id" {
  description = "The repository's id, which a renamed repository keeps and a new one of the same name does not have: `gh api repos/OWNER/NAME --jq .id`. null trusts the name alone."
  type        = string
  default     = null
  validation {
    condition     = var.github_repository_id == null ? true : can(regex("^[0-9]+$", var.github_repository_id))
    error_message = "github_repository_id is ${coalesce(var.github_repository_id, "null")}; it must be digits, or null."
  }
}

variable "github_subject_repository" {
  description = "The repository as the subject of its tokens names it, if not as owner/name: since 18 June 2026 GitHub adds ids for new and renamed repositories, as in octocat-123456/my-repo-456789. The repository's settings show it (Actions, OIDC)."
  type        = string
  default     = null
  validation {
    condition     = var.github_subject_repository == null ? true : can(regex("^[A-Za-z0-9@-]+/[A-Za-z0-9@._-]+$", var.github_subject_repository))
    error_message = "github_subject_repository is ${coalesce(var.github_subject_repository, "null")}; it must be owner/name as in a token's subject, without a wildcard, or null."
  }
}

variable "main_branch" {
  description = "The branch whose pushes are planned and, behind the environment's approval, applied."
  type        = string
  default     = "main"
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z0-9._/-]+$", var.main_branch))
    error_message = "main_branch is ${var.main_branch}; it must be the name of a branch, without a wildcard."
  }
}

variable "state_version_days" {
  description = "Days that a replaced version of a state is kept; the newest 30 are kept longer."
  type        = number
  default     = 180
  nullable    = false
  validation {
    condition     = var.state_version_days >= 30 && var.state_version_days <= 3650
    error_message = "state_version_days is ${var.state_version_days}; it must be 30 to 3650."
  }
}

variable "create_github_oidc_provider" {
  description = "Whether to create GitHub's OIDC provider; false in an account that has it already."
  type        = bool
  default     = true
  nullable    = false
}

variable "enable_api_gateway_logs" {
  description = "Whether to set the role with which API Gateway writes access logs in this region: an environment with a console needs one. False in an account that has one already, or no console."
  type        = bool
  default     = false
  nullable    = false
}
