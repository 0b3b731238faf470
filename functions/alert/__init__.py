"""The alert stage: one message per user and window from the flagged stream to the SNS topic."""
