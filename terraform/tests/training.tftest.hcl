# Training reads payments, so its roles are narrow, its job has no network, and what it makes is a proposal.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name         = "fraud-test"
  trainer_arns = ["arn:aws:iam::123456789012:role/data-scientists"]
  table_arns = {
    labels              = "arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-labels"
    transaction_history = "arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-transaction_history"
  }
  rules_bucket               = { name = "fraud-test-rules-123456789012", arn = "arn:aws:s3:::fraud-test-rules-123456789012" }
  instance_type              = "ml.m5.xlarge"
  volume_gib                 = 50
  maximum_hours              = 12
  vpc_arn                    = "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1"
  subnet_ids                 = ["subnet-1", "subnet-2"]
  security_group_id          = "sg-1"
  access_log_bucket          = "fraud-test-access-log-123456789012"
  data_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/data"
  enable_deletion_protection = true
}

run "trainers_ask_for_trainings_and_read_no_payment" {
  command = apply

  module {
    source = "./modules/training"
  }

  assert {
    condition     = jsonencode(jsondecode(aws_iam_role.trainers.assume_role_policy).Statement[*].Principal.AWS) == jsonencode([var.trainer_arns])
    error_message = "Only the named roles take the role."
  }

  assert {
    condition = toset(flatten([for statement in local.trainers_policy.Statement : statement.Action])) == toset([
      "kms:Decrypt", "kms:GenerateDataKey", "s3:GetObject", "s3:ListBucket", "s3:PutObject",
      "sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob", "states:DescribeExecution", "states:StartExecution", "states:StopExecution",
    ])
    error_message = "They read no row, start no job in another way, and deploy nothing."
  }

  assert {
    condition     = alltrue([for statement in local.trainers_policy.Statement : !contains(statement.Resource, "*")])
    error_message = "Each right names its resource."
  }

  assert {
    condition     = jsonencode([for statement in local.trainers_policy.Statement : statement.Resource if contains(statement.Action, "s3:GetObject")]) == jsonencode([["arn:aws:s3:::fraud-test-rules-123456789012/models/proposed/*"]])
    error_message = "They read what a job proposed, and no export."
  }

  assert {
    condition     = jsonencode([for statement in local.trainers_policy.Statement : statement.Resource if contains(statement.Action, "s3:PutObject")]) == jsonencode([["${module.exports.bucket.arn}/code/*"]])
    error_message = "They write code, and no export."
  }
}

run "a_job_has_no_network_and_the_customer_key" {
  command = apply

  module {
    source = "./modules/training"
  }

  assert {
    condition     = local.training_job.EnableNetworkIsolation && jsonencode(local.training_job.VpcConfig) == jsonencode({ SecurityGroupIds = ["sg-1"], Subnets = ["subnet-1", "subnet-2"] })
    error_message = "A job outside the network, or with a container that has one, would let payments out."
  }

  assert {
    condition     = local.training_job.OutputDataConfig.KmsKeyId == var.data_key_arn && local.training_job.ResourceConfig.VolumeKmsKeyId == var.data_key_arn
    error_message = "Model and disk are encrypted with the customer key."
  }

  assert {
    condition     = local.training_job.OutputDataConfig.S3OutputPath == "s3://fraud-test-rules-123456789012/models/proposed" && local.training_job.StoppingCondition.MaxRuntimeInSeconds == 43200
    error_message = "A job proposes, and ends."
  }

  assert {
    condition     = local.training_job.RoleArn == aws_iam_role.job.arn && jsonencode(one([for statement in local.start_statements : statement.Resource if contains(statement.Action, "iam:PassRole")])) == jsonencode([aws_iam_role.job.arn])
    error_message = "A job has the role of the jobs, and no other."
  }
}

run "a_job_reads_exports_and_proposes_a_model" {
  command = apply

  module {
    source = "./modules/training"
  }

  assert {
    condition = toset(flatten([for statement in local.job_policy.Statement : statement.Action])) == toset([
      "cloudwatch:PutMetricData", "ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface",
      "ec2:DeleteNetworkInterfacePermission", "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups",
      "ec2:DescribeSubnets", "ec2:DescribeVpcs", "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetAuthorizationToken",
      "ecr:GetDownloadUrlForLayer", "kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey", "logs:CreateLogGroup", "logs:CreateLogStream",
      "logs:DescribeLogStreams", "logs:PutLogEvents", "s3:AbortMultipartUpload", "s3:GetObject", "s3:ListBucket", "s3:PutObject",
    ])
    error_message = "It reads no table, and no other bucket."
  }

  assert {
    condition     = alltrue([for statement in local.job_policy.Statement : !contains(statement.Resource, "*") || can(statement.Condition)])
    error_message = "A right without a resource has a condition."
  }

  assert {
    condition     = jsonencode([for statement in local.job_policy.Statement : statement.Resource if contains(statement.Action, "s3:PutObject")]) == jsonencode([["arn:aws:s3:::fraud-test-rules-123456789012/models/proposed/*"]])
    error_message = "It writes proposals only: functions read models directly below models/."
  }

  assert {
    condition     = jsonencode([for statement in local.job_policy.Statement : statement.Resource if contains(statement.Action, "s3:GetObject")]) == jsonencode([["${module.exports.bucket.arn}/code/*", "${module.exports.bucket.arn}/exports/*"]])
    error_message = "It reads exports and its code."
  }

  assert {
    condition     = jsondecode(aws_iam_role.job.assume_role_policy).Statement[0].Principal.Service == "sagemaker.amazonaws.com" && jsondecode(aws_iam_role.job.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "SageMaker alone takes the role, for jobs of this account."
  }
}

run "make_train_finds_everything_in_one_output" {
  command = apply

  module {
    source = "./modules/training"
  }

  assert {
    condition     = output.settings.proposed_url == "s3://fraud-test-rules-123456789012/models/proposed/" && output.settings.bucket == "fraud-test-training-123456789012" && output.settings.state_machine_arn == module.exports.state_machine_arn
    error_message = "The places of a training."
  }

  assert {
    condition     = length(output.role_names) == 2 && contains(output.role_names, output.exporting_role_name)
    error_message = "The audit knows both roles."
  }
}

run "refuses_everybody_as_trainers" {
  command = plan

  module {
    source = "./modules/training"
  }

  variables {
    trainer_arns = ["*"]
  }

  expect_failures = [var.trainer_arns]
}

run "refuses_nobody_as_trainers" {
  command = plan

  module {
    source = "./modules/training"
  }

  variables {
    trainer_arns = []
  }

  expect_failures = [var.trainer_arns]
}

run "refuses_an_instance_with_a_local_disk" {
  command = plan

  module {
    source = "./modules/training"
  }

  variables {
    instance_type = "ml.m5d.xlarge"
  }

  expect_failures = [var.instance_type]
}

run "refuses_an_instance_with_another_processor" {
  command = plan

  module {
    source = "./modules/training"
  }

  variables {
    instance_type = "ml.m6g.xlarge"
  }

  expect_failures = [var.instance_type]
}

run "refuses_a_disk_that_sagemaker_does_not_have" {
  command = plan

  module {
    source = "./modules/training"
  }

  variables {
    volume_gib = 5
  }

  expect_failures = [var.volume_gib]
}

run "refuses_a_job_of_a_week" {
  command = plan

  module {
    source = "./modules/training"
  }

  variables {
    maximum_hours = 168
  }

  expect_failures = [var.maximum_hours]
}

run "refuses_a_name_in_capitals" {
  command = plan

  module {
    source = "./modules/training"
  }

  variables {
    name = "Fraud"
  }

  expect_failures = [var.name]
}
