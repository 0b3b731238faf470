"""The score stage: behaviour profile, features, rules, decision; writes `transaction_history`."""
