variable "bucket_name" {
  description = "Name of the bucket that gets the code."
  type        = string
  nullable    = false
}

variable "prefix" {
  description = "Beginning of the keys, such as `artifacts/`."
  type        = string
  nullable    = false
  validation {
    condition     = endswith(var.prefix, "/")
    error_message = "prefix is \"${var.prefix}\"; it must end with a slash."
  }
}

variable "script_file" {
  description = "The job's script; its name is kept."
  type        = string
  nullable    = false
}

variable "build_dir" {
  description = "Folder of what `make packages` builds for the job: packages.zip and wheels/."
  type        = string
  nullable    = false
}
