# The state machine. Its input: `run`, which names the exports' folder; `as_of`, the moment whose rows are exported, some minutes ago, because
# DynamoDB's backup is about five minutes behind; and what the job's state takes.

module "table_export" {
  source = "../table_export"

  table_arns = values(var.table_arns)
  request = jsonencode({
    "TableArn.$"    = "$.table_arn"
    "ExportTime.$"  = "$.as_of"
    "ClientToken.$" = "States.Hash(States.Format('{} {}', $.run, $.table_arn), 'MD5')" # a try after a lost answer exports nothing twice
    "S3Prefix.$"    = "States.Format('${local.prefix}{}', $.run)"
  })
  bucket       = { name = module.bucket.name, arn = module.bucket.arn }
  prefix       = local.prefix
  data_key_arn = var.data_key_arn
  poll_seconds = 60
  max_retries  = 3 # somebody waits
}

locals {
  definition = {
    Comment        = var.description
    TimeoutSeconds = 24 * 3600
    StartAt        = "Tables"
    States = {
      Tables = { Type = "Pass", Result = values(var.table_arns), ResultPath = "$.table_arns", Next = "ExportTables" }
      ExportTables = {
        Type          = "Map"
        ItemsPath     = "$.table_arns"
        ItemSelector  = { "run.$" = "$.run", "as_of.$" = "$.as_of", "table_arn.$" = "$$.Map.Item.Value" }
        ItemProcessor = { ProcessorConfig = { Mode = "INLINE" }, StartAt = "Export", States = module.table_export.states }
        ResultPath    = null # the job's state gets the input
        Next          = "StartTheJob"
      }
      StartTheJob = merge(jsondecode(var.start_job.task), { Type = "Task", End = true })
    }
  }

  policy = {
    Version   = "2012-10-17"
    Statement = concat(module.table_export.statements, jsondecode(var.start_job.statements))
  }
}

module "state_machine" {
  source = "../state_machine"

  name                     = var.name
  description              = var.description
  definition               = jsonencode(local.definition)
  policy                   = jsonencode(local.policy)
  rules                    = {}
  permissions_boundary_arn = var.permissions_boundary_arn
}
