"""What stages share at the rim: stream reader, settings, retries, metrics."""
