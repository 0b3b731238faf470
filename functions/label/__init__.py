"""The label stage: labels from their queue to the payments, entities and users that they are about."""
