"""What stages share where they meet AWS: stream reader, settings, retries, metrics."""
