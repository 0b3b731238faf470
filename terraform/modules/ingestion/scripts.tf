# What the job runs and reads at its start. The key of every object contains a hash of its content: a change makes a new object,
# and the plan shows which. The job takes new code and mappings when it next starts.

locals {
  # One folder for a set of mappings, so that the job never reads half of an old set and half of a new one.
  mappings_digest = substr(sha256(jsonencode({ for prefix, file in var.mapping_file_by_prefix : prefix => filesha256(file) })), 0, 16)
  mappings_prefix = "artifacts/mappings/${local.mappings_digest}/"

  label_mappings_digest = substr(sha256(jsonencode({ for prefix, file in var.label_mapping_file_by_prefix : prefix => filesha256(file) })), 0, 16)
  label_mappings_prefix = "artifacts/label-mappings/${local.label_mappings_digest}/"
}

module "code" {
  source = "../glue_code"

  bucket_name = module.buckets["work"].name
  prefix      = "artifacts/"
  script_file = "${var.scripts_dir}/stream_transactions.py"
  build_dir   = var.build_dir
}

# Addresses of states from before the module `glue_code`.
moved {
  from = aws_s3_object.script
  to   = module.code.aws_s3_object.script
}

moved {
  from = aws_s3_object.packages
  to   = module.code.aws_s3_object.packages
}

moved {
  from = aws_s3_object.wheels
  to   = module.code.aws_s3_object.wheels
}

resource "aws_s3_object" "mappings" {
  for_each = var.mapping_file_by_prefix

  bucket      = module.buckets["work"].name
  key         = "${local.mappings_prefix}${each.key}.yaml"
  source      = each.value
  source_hash = filesha256(each.value)

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_s3_object" "label_mappings" {
  for_each = var.label_mapping_file_by_prefix

  bucket      = module.buckets["work"].name
  key         = "${local.label_mappings_prefix}${each.key}.yaml"
  source      = each.value
  source_hash = filesha256(each.value)

  lifecycle {
    create_before_destroy = true
  }
}
