"""The cache as the stages that use it share it: connection, sign-in, and the copies of what labels say."""
