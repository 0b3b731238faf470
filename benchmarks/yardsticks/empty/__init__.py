"""A function that does nothing: what the runtime itself costs."""
