# What the job runs and reads at its start. The key of every object contains a hash of its content: a change makes a new object,
# and the plan shows which. The job takes new code and mappings when it next starts.

locals {
  script_file   = "${var.scripts_dir}/stream_transactions.py"
  packages_file = "${var.build_dir}/packages.zip"
  wheels        = fileset(var.build_dir, "wheels/*.whl")

  # One folder for a set of mappings, so that the job never reads half of an old set and half of a new one.
  mappings_digest = substr(sha256(jsonencode({ for prefix, file in var.mapping_file_by_prefix : prefix => filesha256(file) })), 0, 16)
  mappings_prefix = "artifacts/mappings/${local.mappings_digest}/"

  label_mappings_digest = substr(sha256(jsonencode({ for prefix, file in var.label_mapping_file_by_prefix : prefix => filesha256(file) })), 0, 16)
  label_mappings_prefix = "artifacts/label-mappings/${local.label_mappings_digest}/"
}

resource "aws_s3_object" "script" {
  bucket      = module.buckets["work"].name
  key         = "artifacts/scripts/${substr(filesha256(local.script_file), 0, 16)}/stream_transactions.py"
  source      = local.script_file
  source_hash = filesha256(local.script_file)

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_s3_object" "packages" {
  bucket      = module.buckets["work"].name
  key         = "artifacts/packages/${substr(filesha256(local.packages_file), 0, 16)}/packages.zip"
  source      = local.packages_file
  source_hash = filesha256(local.packages_file)

  lifecycle {
    create_before_destroy = true
  }
}

# Wheels come from the bucket: the job cannot reach a package index. pip reads their file names, so these stay.
resource "aws_s3_object" "wheels" {
  for_each = local.wheels

  bucket      = module.buckets["work"].name
  key         = "artifacts/wheels/${substr(filesha256("${var.build_dir}/${each.key}"), 0, 16)}/${basename(each.key)}"
  source      = "${var.build_dir}/${each.key}"
  source_hash = filesha256("${var.build_dir}/${each.key}")

  lifecycle {
    create_before_destroy = true
  }
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
