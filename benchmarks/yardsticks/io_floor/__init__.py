"""What remains of the score stage when its logic is taken out: input and output."""
