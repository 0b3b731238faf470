"""What stages share where they meet AWS: stream reader, settings, backoff, metrics."""
