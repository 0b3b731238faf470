# A job's code is in the bucket under names of its content: a change makes a new object.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  bucket_name = "fraud-test-artifacts-123456789012"
  prefix      = "artifacts/"
  script_file = "../glue_scripts/backtest_rows.py"
  build_dir   = "../build/glue-backtest"
}

run "the_job_finds_its_script_its_packages_and_its_wheels_in_the_bucket" {
  command = apply

  module {
    source = "./modules/glue_code"
  }

  assert {
    condition     = output.script_url == "s3://fraud-test-artifacts-123456789012/artifacts/scripts/${substr(filesha256(var.script_file), 0, 16)}/backtest_rows.py"
    error_message = "The script's key has its content's hash, and its name."
  }

  assert {
    condition     = output.arguments["--extra-py-files"] == "s3://fraud-test-artifacts-123456789012/artifacts/packages/${substr(filesha256("${var.build_dir}/packages.zip"), 0, 16)}/packages.zip"
    error_message = "So has that of the packages."
  }

  assert {
    condition     = length(fileset(var.build_dir, "wheels/*.whl")) > 0 && length(split(",", output.arguments["--additional-python-modules"])) == length(fileset(var.build_dir, "wheels/*.whl"))
    error_message = "Each wheel comes from the bucket, and none from a package index."
  }
}

run "refuses_a_prefix_without_its_slash" {
  command = plan

  module {
    source = "./modules/glue_code"
  }

  variables {
    prefix = "artifacts"
  }

  expect_failures = [var.prefix]
}
