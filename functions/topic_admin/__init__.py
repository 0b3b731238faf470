"""Kafka topics, made and changed as Terraform wants them, without a Kafka client in the operator's hands."""
