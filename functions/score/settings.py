"""Settings of the score stage; what `function.yaml` declares, read once at the cold start."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

NonEmpty = Annotated[str, Meta(min_length=1)]
Days = Annotated[int, Meta(ge=1, le=3650)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One field per environment variable, in lower case."""

    elasticache_redis_endpoint: NonEmpty
    """``host:port``, or a URL: ``redis://host:port``, ``rediss://user@host:port`` for TLS."""
    cache_replication_group: str = ""
    """Replication group that IAM tokens are signed for; empty where the cache asks for no IAM authentication."""
    transaction_history_table: NonEmpty
    quarantine_queue_url: NonEmpty
    quarantine_bucket: NonEmpty
    rules_application: NonEmpty
    rules_environment: NonEmpty
    rules_profile: NonEmpty
    rules_refresh_seconds: Annotated[int, Meta(ge=15, le=3600)] = 15
    """How old a ruleset may grow before AppConfig is asked again; AppConfig takes no shorter poll than 15 s."""
    history_retention_days: Days = 400
    """How long a history row is kept, from when it was scored."""
    profile_retention_days: Days = 90
    """How long the profile of a user who does not pay stays in the cache."""
