"""The tables of rollouts, which several stages read: what both sides of a ruleset said, and what was changed."""
