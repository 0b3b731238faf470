# What the job runs. The key of every object contains a hash of its content: a change makes a new object, and the plan shows which.

locals {
  script_file   = "${var.scripts_dir}/backtest_rows.py"
  packages_file = "${var.build_dir}/packages.zip"
  wheels        = fileset(var.build_dir, "wheels/*.whl")
}

resource "aws_s3_object" "script" {
  bucket      = module.bucket.name
  key         = "${local.artifacts_prefix}scripts/${substr(filesha256(local.script_file), 0, 16)}/backtest_rows.py"
  source      = local.script_file
  source_hash = filesha256(local.script_file)

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_s3_object" "packages" {
  bucket      = module.bucket.name
  key         = "${local.artifacts_prefix}packages/${substr(filesha256(local.packages_file), 0, 16)}/packages.zip"
  source      = local.packages_file
  source_hash = filesha256(local.packages_file)

  lifecycle {
    create_before_destroy = true
  }
}

# Wheels come from the bucket: no run asks a package index. pip reads their file names, so these stay.
resource "aws_s3_object" "wheels" {
  for_each = local.wheels

  bucket      = module.bucket.name
  key         = "${local.artifacts_prefix}wheels/${substr(filesha256("${var.build_dir}/${each.key}"), 0, 16)}/${basename(each.key)}"
  source      = "${var.build_dir}/${each.key}"
  source_hash = filesha256("${var.build_dir}/${each.key}")

  lifecycle {
    create_before_destroy = true
  }
}
