"""The Lambda that AppConfig asks about a ruleset before it deploys it."""
