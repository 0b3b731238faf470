"""Checks a ruleset before AppConfig deploys it."""
