"""The alert stage: from the stream of `flagged_transactions` to the SNS topic, one message per user and window, and again when it gets graver."""
