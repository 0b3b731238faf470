variable "name" {
  description = "Prefix of names, as in `fraud-dev`."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}[a-z0-9]$", var.name))
    error_message = "name is \"${var.name}\"; it takes 3 to 29 lower-case letters, digits and hyphens, a letter first."
  }
}

variable "scripts_dir" {
  description = "Folder of the job's entry point, `stream_transactions.py`."
  type        = string
  nullable    = false
  validation {
    condition     = fileexists("${var.scripts_dir}/stream_transactions.py")
    error_message = "scripts_dir is \"${var.scripts_dir}\"; there is no stream_transactions.py in it."
  }
}

variable "build_dir" {
  description = "Folder of what the job imports, built by `make build`: `packages.zip` and `wheels/*.whl`."
  type        = string
  nullable    = false
  validation {
    condition     = fileexists("${var.build_dir}/packages.zip") && length(fileset(var.build_dir, "wheels/*.whl")) > 0
    error_message = "build_dir is \"${var.build_dir}\"; there is no packages.zip or no wheels/*.whl in it. `make build ARCH=arm64` makes them."
  }
}

variable "mapping_file_by_prefix" {
  description = "Prefix below the landing path, as in `acme` or `acme/cards`, to the YAML file that maps its files' columns to fields (docs/guide-own-data.md). The longest prefix counts; below no prefix, columns are known by their names. A change applies when the job next starts."
  type        = map(string)
  default     = {}
  nullable    = false
  validation {
    condition     = alltrue([for prefix in keys(var.mapping_file_by_prefix) : can(regex("^[A-Za-z0-9][A-Za-z0-9._=-]*(/[A-Za-z0-9][A-Za-z0-9._=-]*)*$", prefix))])
    error_message = "mapping_file_by_prefix has the prefixes ${join(", ", keys(var.mapping_file_by_prefix))}; each takes folders of letters, digits and . _ = - that begin with a letter or digit, joined by /."
  }
  validation {
    condition     = alltrue([for file in values(var.mapping_file_by_prefix) : fileexists(file)])
    error_message = "mapping_file_by_prefix names ${join(", ", values(var.mapping_file_by_prefix))}; not all of these files exist."
  }
  validation {
    condition     = alltrue([for file in values(var.mapping_file_by_prefix) : !fileexists(file) || try(length(setsubtract(["transaction_id", "user_id", "amount", "timestamp"], keys(yamldecode(file(file))))) == 0, false)])
    error_message = "mapping_file_by_prefix names ${join(", ", values(var.mapping_file_by_prefix))}; each must be YAML that maps at least transaction_id, user_id, amount and timestamp."
  }
}

variable "label_mapping_file_by_prefix" {
  description = "The same for files of labels: prefix below the labels path to the YAML file that maps its columns (docs/guide-labels.md)."
  type        = map(string)
  default     = {}
  nullable    = false
  validation {
    condition     = alltrue([for prefix in keys(var.label_mapping_file_by_prefix) : can(regex("^[A-Za-z0-9][A-Za-z0-9._=-]*(/[A-Za-z0-9][A-Za-z0-9._=-]*)*$", prefix))])
    error_message = "label_mapping_file_by_prefix has the prefixes ${join(", ", keys(var.label_mapping_file_by_prefix))}; each takes folders of letters, digits and . _ = - that begin with a letter or digit, joined by /."
  }
  validation {
    condition     = alltrue([for file in values(var.label_mapping_file_by_prefix) : fileexists(file)])
    error_message = "label_mapping_file_by_prefix names ${join(", ", values(var.label_mapping_file_by_prefix))}; not all of these files exist."
  }
  validation {
    condition     = alltrue([for file in values(var.label_mapping_file_by_prefix) : !fileexists(file) || try(length(setsubtract(["transaction_id", "verdict", "source", "known_at"], keys(yamldecode(file(file))))) == 0, false)])
    error_message = "label_mapping_file_by_prefix names ${join(", ", values(var.label_mapping_file_by_prefix))}; each must be YAML that maps at least transaction_id, verdict, source and known_at."
  }
}

variable "labels_queue" {
  description = "The queue to which labels of landed files are sent; it has the key of `data_key_arn`."
  type = object({
    url = string
    arn = string
  })
  nullable = false
}

variable "worker_type" {
  description = "Size of each Glue worker. G.025X is a quarter of a DPU and made for streams."
  type        = string
  default     = "G.025X"
  nullable    = false
  validation {
    condition     = contains(["G.025X", "G.1X", "G.2X", "G.4X", "G.8X"], var.worker_type)
    error_message = "worker_type is \"${var.worker_type}\"; a Glue streaming job takes G.025X, G.1X, G.2X, G.4X or G.8X."
  }
}

variable "maximum_workers" {
  description = "Maximum number of workers, the driver included. Glue scales below it by load; unused workers cost nothing."
  type        = number
  default     = 4
  nullable    = false
  validation {
    condition     = var.maximum_workers >= 2 && var.maximum_workers <= 100
    error_message = "maximum_workers is ${var.maximum_workers}; it takes 2 (a driver and an executor) to 100."
  }
}

variable "trigger_interval_seconds" {
  description = "Minimum seconds between the starts of two batches. A landed file waits for so long; smaller batches cost more."
  type        = number
  default     = 10
  nullable    = false
  validation {
    condition     = var.trigger_interval_seconds >= 1 && var.trigger_interval_seconds <= 3600
    error_message = "trigger_interval_seconds is ${var.trigger_interval_seconds}; it takes 1 to 3600."
  }
}

variable "enable_keep_running" {
  description = "Whether the job is started whenever no run is active. Without it, a run is started by hand and ends after eight hours."
  type        = bool
  default     = true
  nullable    = false
}

variable "subnet_id_by_zone" {
  description = "Zone to its private subnet. A connection is made in each, so that the job can start while a zone is unavailable."
  type        = map(string)
  nullable    = false
  validation {
    condition     = length(var.subnet_id_by_zone) >= 1
    error_message = "subnet_id_by_zone is empty; the job needs a subnet to run in."
  }
}

variable "security_group_id" {
  description = "Security group of the job's workers; it must let them connect to each other."
  type        = string
  nullable    = false
}

variable "kafka" {
  description = "Where records are published: brokers as `host:port,...`, cluster ARN, topic and topic ARN."
  type = object({
    bootstrap_servers = string
    cluster_arn       = string
    topic             = string
    topic_arn         = string
  })
  nullable = false
}

variable "metrics_namespace" {
  description = "CloudWatch namespace of the metrics in the lines that the job prints; the functions use the same."
  type        = string
  nullable    = false
}

variable "data_key_arn" {
  description = "ARN of the KMS key of the buckets and of what the job writes."
  type        = string
  nullable    = false
}

variable "logs_key_arn" {
  description = "ARN of the KMS key of the job's log groups."
  type        = string
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that the job's logs are kept."
  type        = number
  nullable    = false
}

variable "landing_retention_days" {
  description = "Days that a landed file is kept. It may hold full card numbers: no longer than it takes to notice that ingestion has stopped."
  type        = number
  default     = 7
  nullable    = false
  validation {
    condition     = var.landing_retention_days >= 1 && var.landing_retention_days <= 90
    error_message = "landing_retention_days is ${var.landing_retention_days}; it takes 1 to 90."
  }
}

variable "quarantine_retention_days" {
  description = "Days that quarantined rows and records are kept for repair."
  type        = number
  default     = 90
  nullable    = false
  validation {
    condition     = var.quarantine_retention_days >= 1 && var.quarantine_retention_days <= 3650
    error_message = "quarantine_retention_days is ${var.quarantine_retention_days}; it takes 1 to 3650."
  }
}

variable "enable_deletion_protection" {
  description = "Whether buckets that are not empty refuse to be destroyed."
  type        = bool
  nullable    = false
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds the role, from bootstrap; null where the account has none."
  type        = string
  default     = null
}

variable "token_role_names" {
  description = "Names of the roles that may derive the tokenisation key beside the job's: of functions whose function.yaml names the key."
  type        = list(string)
  default     = []
  nullable    = false
}
