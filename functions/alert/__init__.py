"""The alert stage: from the stream of `flagged_transactions` to the SNS topic, one message per user and window, more if it gets graver."""
