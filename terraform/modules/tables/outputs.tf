output "tables" {
  description = "By the table's interface name: its name, its ARN and its stream's ARN (null without a stream)."
  value = {
    for name, table in aws_dynamodb_table.this : name => {
      name       = table.name
      arn        = table.arn
      stream_arn = table.stream_enabled ? table.stream_arn : null
    }
  }
}
