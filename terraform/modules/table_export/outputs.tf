output "states" {
  description = "The states by name. They begin with Export, and end with Exported or NotExported."
  value       = local.states
}

output "statements" {
  description = "Statements of the state machine's IAM policy."
  value       = local.statements
}
