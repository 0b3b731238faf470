variable "name" {
  description = "Prefix of each table's name, such as `fraud-dev`; a hyphen is added."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}[a-z0-9]$", var.name))
    error_message = "name is \"${var.name}\"; it must be 3 to 29 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "definitions" {
  description = "The content of functions/contract/tables.yaml, by table: keys, indexes, stream view, time to live."
  type = map(object({
    description            = string
    partition_key          = object({ name = string, type = string })
    sort_key               = optional(object({ name = string, type = string }))
    stream_view            = optional(string)
    time_to_live_attribute = optional(string)
    table_class            = optional(string, "STANDARD")
    indexes = optional(map(object({
      partition_key = object({ name = string, type = string })
      sort_key      = optional(object({ name = string, type = string }))
      projection    = string
      attributes    = optional(list(string))
    })), {})
  }))
  nullable = false
  validation {
    condition = alltrue([
      for table in values(var.definitions) :
      table.stream_view == null ? true : contains(["NEW_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"], table.stream_view)
    ])
    error_message = "definitions: stream_view of ${join(", ", [for name, table in var.definitions : name if table.stream_view != null && !contains(["NEW_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"], coalesce(table.stream_view, "NEW_IMAGE"))])} is not one of NEW_IMAGE, NEW_AND_OLD_IMAGES and KEYS_ONLY."
  }
  validation {
    condition     = alltrue(flatten([for table in values(var.definitions) : [for index in values(table.indexes) : (index.projection == "INCLUDE") == (index.attributes != null)]]))
    error_message = "definitions: ${join(", ", flatten([for name, table in var.definitions : [for key, index in table.indexes : "${name}.${key}" if(index.projection == "INCLUDE") != (index.attributes != null)]]))}: an index with the projection INCLUDE names its attributes, and no other index does."
  }
  validation {
    condition     = alltrue([for table in values(var.definitions) : contains(["STANDARD", "STANDARD_INFREQUENT_ACCESS"], table.table_class)])
    error_message = "definitions: table_class of ${join(", ", [for name, table in var.definitions : name if !contains(["STANDARD", "STANDARD_INFREQUENT_ACCESS"], table.table_class)])} is neither STANDARD nor STANDARD_INFREQUENT_ACCESS."
  }
}

variable "provisioned_capacity" {
  description = <<-EOT
    Tables with provisioned, autoscaled capacity instead of on demand: by table, minimum and maximum of read and write units a second,
    and the target use in percent. Cheaper from a steady load of about a sixth of the on-demand peak. `indexes` is what each index of the
    table has, by its name, and is not scaled: a write that an index has no units for is throttled in the table too.
  EOT
  type = map(object({
    read_minimum   = number
    read_maximum   = number
    write_minimum  = number
    write_maximum  = number
    target_percent = optional(number, 70)
    indexes        = optional(map(object({ read = number, write = number })), {})
  }))
  default  = {}
  nullable = false
  validation {
    condition     = length(setsubtract(keys(var.provisioned_capacity), keys(var.definitions))) == 0
    error_message = "provisioned_capacity names ${join(", ", setsubtract(keys(var.provisioned_capacity), keys(var.definitions)))}; the tables are ${join(", ", keys(var.definitions))}."
  }
  validation {
    # Fixed: Terraform cannot distinguish an index's autoscaled capacity from drift, since it can ignore changes of all indexes or of none.
    condition     = alltrue([for table, capacity in var.provisioned_capacity : toset(keys(capacity.indexes)) == toset(keys(try(var.definitions[table].indexes, {})))])
    error_message = "provisioned_capacity: ${join("; ", [for table, capacity in var.provisioned_capacity : "${table} has units for the indexes ${jsonencode(keys(capacity.indexes))} and has the indexes ${jsonencode(keys(try(var.definitions[table].indexes, {})))}" if toset(keys(capacity.indexes)) != toset(keys(try(var.definitions[table].indexes, {})))])}; give the read and write units of each."
  }
  validation {
    condition = alltrue([
      for capacity in values(var.provisioned_capacity) :
      capacity.read_minimum >= 1 && capacity.read_maximum >= capacity.read_minimum &&
      capacity.write_minimum >= 1 && capacity.write_maximum >= capacity.write_minimum
    ])
    error_message = "provisioned_capacity of ${join(", ", keys(var.provisioned_capacity))}: each minimum is at least 1, each maximum at least its minimum."
  }
  validation {
    condition     = alltrue([for capacity in values(var.provisioned_capacity) : capacity.target_percent >= 20 && capacity.target_percent <= 90])
    error_message = "provisioned_capacity: target_percent is ${join(", ", [for capacity in values(var.provisioned_capacity) : capacity.target_percent])}; DynamoDB allows 20 to 90."
  }
}

variable "on_demand_maximum" {
  description = "Most request units a second of each on-demand table, and of each index; null for the account's quota. Above it DynamoDB throttles, and payments wait."
  type        = object({ read_units = number, write_units = number })
  default     = null
  validation {
    condition     = var.on_demand_maximum == null ? true : alltrue([for units in values(var.on_demand_maximum) : units >= 1 && floor(units) == units])
    error_message = "on_demand_maximum is ${jsonencode(var.on_demand_maximum)}; each must be a whole number from 1."
  }
}

variable "data_key_arn" {
  description = "ARN of the KMS key of the tables, their streams and backups."
  type        = string
  nullable    = false
}

variable "enable_deletion_protection" {
  description = "Whether DynamoDB refuses to delete the tables."
  type        = bool
  nullable    = false
}

variable "recovery_days" {
  description = "Days back to which a table can be restored, to the second."
  type        = number
  default     = 35
  nullable    = false
  validation {
    condition     = var.recovery_days >= 1 && var.recovery_days <= 35
    error_message = "recovery_days is ${var.recovery_days}; DynamoDB allows 1 to 35."
  }
}
