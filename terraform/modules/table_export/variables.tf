variable "table_arns" {
  description = "ARNs of the tables that may be exported. Each needs point-in-time recovery."
  type        = list(string)
  nullable    = false
}

variable "request" {
  description = "What the request says of table, time and folder, as JSON: `TableArn`, `S3Prefix` and whatever else ExportTableToPointInTime takes, in Amazon States Language."
  type        = string
  nullable    = false
}

variable "bucket" {
  description = "The bucket that gets the exports: its name and its ARN."
  type        = object({ name = string, arn = string })
  nullable    = false
}

variable "prefix" {
  description = "Prefix in the bucket below which exports may be written, such as `exports/`."
  type        = string
  nullable    = false
  validation {
    condition     = endswith(var.prefix, "/")
    error_message = "prefix is \"${var.prefix}\"; it must end with a slash."
  }
}

variable "data_key_arn" {
  description = "ARN of the KMS key of the tables and of the exports."
  type        = string
  nullable    = false
}

variable "poll_seconds" {
  description = "Time between two looks at an export, in seconds."
  type        = number
  nullable    = false
}

variable "max_retries" {
  description = "How often a refused request is sent again: after one minute, then after twice as long each time."
  type        = number
  nullable    = false
}
