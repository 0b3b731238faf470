"""The case stage: from the stream of `flagged_transactions` to the cases that people decide on."""
