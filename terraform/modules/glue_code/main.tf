# What a Glue job runs: its script, its packages and its wheels, in a bucket. The key of every object contains a hash of its content: a change
# makes a new object, and the plan shows which. A job takes new code when it next starts.

locals {
  script_name   = basename(var.script_file)
  packages_file = "${var.build_dir}/packages.zip"
  wheels        = fileset(var.build_dir, "wheels/*.whl")

  # What Glue calls them.
  arguments = {
    "--extra-py-files"            = "s3://${var.bucket_name}/${aws_s3_object.packages.key}"
    "--additional-python-modules" = join(",", [for wheel in aws_s3_object.wheels : "s3://${var.bucket_name}/${wheel.key}"])
  }
}

resource "aws_s3_object" "script" {
  bucket      = var.bucket_name
  key         = "${var.prefix}scripts/${substr(filesha256(var.script_file), 0, 16)}/${local.script_name}"
  source      = var.script_file
  source_hash = filesha256(var.script_file)

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_s3_object" "packages" {
  bucket      = var.bucket_name
  key         = "${var.prefix}packages/${substr(filesha256(local.packages_file), 0, 16)}/packages.zip"
  source      = local.packages_file
  source_hash = filesha256(local.packages_file)

  lifecycle {
    create_before_destroy = true
  }
}

# Wheels come from the bucket: no job asks a package index. pip reads their file names, so these stay.
resource "aws_s3_object" "wheels" {
  for_each = local.wheels

  bucket      = var.bucket_name
  key         = "${var.prefix}wheels/${substr(filesha256("${var.build_dir}/${each.key}"), 0, 16)}/${basename(each.key)}"
  source      = "${var.build_dir}/${each.key}"
  source_hash = filesha256("${var.build_dir}/${each.key}")

  lifecycle {
    create_before_destroy = true
  }
}
