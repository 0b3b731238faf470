"""The servers of the local stack, each one a process: Kafka, Valkey, the AWS API, and DynamoDB Local for tests."""
