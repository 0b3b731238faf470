# The configuration of every broker. MSK cannot delete a configuration that a cluster uses, and a name is in use until its
# configuration is deleted. So the name contains a hash of the content: a change, or an upgrade of Kafka, creates the next configuration
# first, moves the cluster to it, and deletes the old one last.

locals {
  server_properties = join("\n", [for key, value in local.properties : "${key}=${value}"])

  properties = {
    "auto.create.topics.enable"      = "false" # a misspelt topic is an error, not a topic
    "default.replication.factor"     = local.zone_count
    "min.insync.replicas"            = local.zone_count - 1 # with a zone unavailable, an acknowledged record is still on two brokers
    "unclean.leader.election.enable" = "false"
    "log.retention.hours"            = 168 # topics have their own; this is for the cluster's internal ones
  }
}

resource "aws_msk_configuration" "this" {
  count = local.provisioned ? 1 : 0

  name              = "${var.name}-${substr(sha256("${var.kafka_version}\n${local.server_properties}"), 0, 8)}"
  description       = "Brokers of ${var.name}."
  kafka_versions    = [var.kafka_version]
  server_properties = local.server_properties

  lifecycle {
    create_before_destroy = true
  }
}
