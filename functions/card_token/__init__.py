"""The function that gives the token of a known card number, for a list of the ruleset."""
