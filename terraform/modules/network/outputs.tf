output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "vpc_arn" {
  description = "ARN of the VPC."
  value       = aws_vpc.this.arn
}

output "subnet_ids" {
  description = "Ids of the private subnets, one for each of `availability_zones`, in its order."
  value       = [for zone in var.availability_zones : aws_subnet.private[zone].id]
}

output "subnet_id_by_zone" {
  description = "Zone to the id of its private subnet."
  value       = { for zone, subnet in aws_subnet.private : zone => subnet.id }
}

output "security_group_id_by_role" {
  description = "Role (functions, cache_clients, kafka_clients, ingestion, training, brokers, cache, endpoints) to security group id."
  value       = { for role, group in aws_security_group.this : role => group.id }
}

output "interface_endpoint_services" {
  description = "AWS services that are reached through an interface endpoint, in alphabetical order; AWS bills them by the hour."
  value       = sort(keys(local.interface_endpoints))
}
