"""Settings of the score stage, one field for each variable of its function.yaml."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from common.crash_counts import CrashSettings

Days = Annotated[int, Meta(ge=1, le=3650)]


class Settings(CrashSettings, frozen=True, kw_only=True):
    """What the score stage reads from its environment."""

    elasticache_redis_endpoint: str
    """``host:port``, or a URL: ``redis://host:port``, ``rediss://user@host:port`` for TLS."""
    cache_replication_group: str = ""
    """Replication group that IAM tokens are signed for; empty for a cache without IAM authentication."""
    transaction_history_table: str
    profile_checkpoints_table: str
    rollout_counts_table: str
    quarantine_queue_url: str
    quarantine_bucket: str
    dead_letter_queue_url: str
    rules_application: str
    rules_environment: str
    rules_profile: str
    rules_bucket: str
    """Keeps every ruleset and model that was ever active."""
    rules_refresh_seconds: Annotated[int, Meta(ge=15, le=3600)] = 15
    """Age of a ruleset after which AppConfig is polled again, seconds; AppConfig allows no shorter interval than 15."""
    history_retention_days: Days = 400
    """How long a history row is stored, from when it was scored, days."""
    profile_retention_days: Days = 90
    """How long the profile of a user without payments stays in the cache and among the checkpoints, days."""
