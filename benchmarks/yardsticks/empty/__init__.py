"""A function that does nothing: the cost of the runtime itself."""
