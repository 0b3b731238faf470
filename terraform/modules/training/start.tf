# With which settings a job is started. Whoever asks for a training gives its code, its ruleset and its options. The role, the network, the keys
# and the place of the model are written here.

locals {
  input = "/opt/ml/input/data" # where SageMaker puts a job's input, a folder for each channel

  prefix_by_channel = { export = module.exports.prefix, code = local.code_prefix }

  training_job = {
    "TrainingJobName.$" = "States.Format('${var.name}-{}', $.run)"
    AlgorithmSpecification = {
      TrainingImage          = data.aws_sagemaker_prebuilt_ecr_image.this.registry_path
      TrainingInputMode      = "File"
      ContainerEntrypoint    = ["python3", "${local.input}/code/job.py"]
      "ContainerArguments.$" = "$.arguments"
    }
    RoleArn = aws_iam_role.job.arn
    InputDataConfig = [for channel in ["export", "code"] : {
      ChannelName = channel
      DataSource = {
        S3DataSource = {
          S3DataType             = "S3Prefix"
          "S3Uri.$"              = "States.Format('s3://${module.exports.bucket.name}/${local.prefix_by_channel[channel]}{}/', $.run)"
          S3DataDistributionType = "FullyReplicated"
        }
      }
    }]
    OutputDataConfig = {
      S3OutputPath    = "s3://${var.rules_bucket.name}/${trimsuffix(local.proposed_prefix, "/")}"
      KmsKeyId        = var.data_key_arn
      CompressionType = "NONE"
    }
    ResourceConfig = {
      InstanceType   = var.instance_type
      InstanceCount  = 1
      VolumeSizeInGB = var.volume_gib
      VolumeKmsKeyId = var.data_key_arn
    }
    VpcConfig              = { Subnets = var.subnet_ids, SecurityGroupIds = [var.security_group_id] }
    StoppingCondition      = { MaxRuntimeInSeconds = var.maximum_hours * 3600 }
    EnableNetworkIsolation = true
  }

  start_statements = [
    {
      Sid      = "StartJobs"
      Effect   = "Allow"
      Action   = ["sagemaker:CreateTrainingJob"]
      Resource = [local.job_arn]
    },
    {
      Sid       = "GiveJobsTheirRole"
      Effect    = "Allow"
      Action    = ["iam:PassRole"]
      Resource  = [aws_iam_role.job.arn]
      Condition = { StringEquals = { "iam:PassedToService" = "sagemaker.amazonaws.com" } }
    },
    {
      # SageMaker checks the key of the job's disk in the name of whoever starts the job.
      Sid       = "EncryptTheJobsDisk"
      Effect    = "Allow"
      Action    = ["kms:CreateGrant"]
      Resource  = [var.data_key_arn]
      Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
    },
  ]
}
