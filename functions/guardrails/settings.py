"""Settings of the guardrails, one field for each variable of their function.yaml."""

from __future__ import annotations

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """What the function reads from its environment."""

    rules_application: str
    """AppConfig's id of the application,"""
    rules_environment: str
    """of the environment,"""
    rules_strategy: str
    """and of the strategy that deploys at once."""
    rules_bucket: str
    """Keeps every ruleset and model that was ever active."""
    rollout_counts_table: str
    """The tables' names in this environment."""
    ruleset_changes_table: str
