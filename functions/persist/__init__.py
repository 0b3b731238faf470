"""The persist stage: suspicious transactions from the stream of `transaction_history` into `flagged_transactions`."""
