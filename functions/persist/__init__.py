"""The persist stage: suspicious transactions from the history stream into `flagged_transactions`."""
