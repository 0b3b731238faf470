"""The score stage without its logic: input and output alone."""
