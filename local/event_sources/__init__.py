"""Event source mappings: deliver records from Kafka and from DynamoDB streams to a function, as Lambda does."""
