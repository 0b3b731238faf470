"""Creates and changes Kafka topics as Terraform requests, so that operators need no Kafka client."""
