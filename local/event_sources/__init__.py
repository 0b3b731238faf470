"""Event source mappings: what carries records from Kafka and from DynamoDB streams to a function, as Lambda does it."""
