"""Settings of the upkeep of labels, one field for each variable of its function.yaml."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the upkeep of labels reads from its environment."""

    elasticache_redis_endpoint: str
    """``host:port``, or a URL: ``redis://host:port``, ``rediss://user@host:port`` for TLS."""
    cache_replication_group: str = ""
    """Replication group that IAM tokens are signed for; empty for a cache without IAM authentication."""
    labels_table: str
    """The table's name in this environment."""
    entity_risk_table: str
    """The table's name in this environment."""
    pending_labels_table: str
    """The table's name in this environment."""
    labels_queue_url: str
    """Where labels go that are tried again."""
    quarantine_queue_url: str
    """Where labels go that have waited for too long."""
    pending_days: Annotated[int, Meta(ge=1, le=365)]
    """How long a label may wait, days."""
    check_every_hours: Annotated[int, Meta(ge=1, le=720)]
    """From one look through all copies to the next, hours."""
