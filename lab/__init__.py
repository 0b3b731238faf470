"""The analyst's bench: check a ruleset, run it over simulated or own payments, and measure what it finds."""
