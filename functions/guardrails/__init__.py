"""Withdraws a candidate that leaves its guardrails and suspends rules that hold too often, as new versions of the ruleset."""
