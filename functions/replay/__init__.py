"""Makes a stored decision again."""
