variable "bucket" {
  description = "The bucket's name, at most 63 characters. Names are global: the account's id at its end makes it unique."
  type        = string
  nullable    = false
}

variable "expiry_days" {
  description = "Days after which an object is deleted; null keeps all."
  type        = number
  default     = null
  validation {
    condition     = var.expiry_days == null ? true : var.expiry_days >= 1 && floor(var.expiry_days) == var.expiry_days
    error_message = "expiry_days is ${coalesce(var.expiry_days, 0)}; S3 takes whole days from 1."
  }
}

variable "enable_events" {
  description = "Whether EventBridge gets an event for each object."
  type        = bool
  default     = false
  nullable    = false
}

variable "access_log_bucket" {
  description = "Name of the bucket that records accesses."
  type        = string
  nullable    = false
}

variable "enable_deletion_protection" {
  description = "Whether the bucket keeps its objects when it is destroyed: destroying it fails then while it has any."
  type        = bool
  nullable    = false
}

variable "data_key_arn" {
  description = "ARN of the customer key for payments at rest."
  type        = string
  nullable    = false
}
