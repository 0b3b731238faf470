"""Settings of the deployer, one field for each variable of its function.yaml."""

from __future__ import annotations

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """What the function reads from its environment."""

    rules_application: str
    """AppConfig's id of the application,"""
    rules_environment: str
    """of the environment,"""
    rules_strategy: str
    """of the strategy that deploys at once,"""
    rules_gradual_strategy: str
    """and of the one that deploys step by step while an alarm is watched."""
    rules_bucket: str
    """Has what was proposed, and keeps every ruleset and model that was ever active."""
    ruleset_changes_table: str
    """The table's name in this environment."""
