"""The servers of the local stack, one process each: Kafka, Valkey, the AWS API, and DynamoDB Local for tests."""
