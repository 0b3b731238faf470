"""Settings of the label stage, one field for each variable of its function.yaml."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Days = Annotated[int, Meta(ge=1, le=3653)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the label stage reads from its environment."""

    elasticache_redis_endpoint: str
    """``host:port``, or a URL: ``redis://host:port``, ``rediss://user@host:port`` for TLS."""
    cache_replication_group: str = ""
    """Replication group that IAM tokens are signed for; empty for a cache without IAM authentication."""
    transaction_history_table: str
    """The table's name in this environment."""
    transaction_id_index: str = ""
    """The history's index by transaction id; empty where it is switched off."""
    flagged_transactions_table: str
    """The table's name in this environment."""
    labels_table: str
    """The table's name in this environment."""
    entity_risk_table: str
    """The table's name in this environment."""
    pending_labels_table: str
    """The table's name in this environment."""
    quarantine_queue_url: str
    """Where labels go that cannot be used."""
    label_retention_days: Days
    """How long a label is stored, from when it became known, days."""
    risk_retention_days: Days
    """How long a labelled payment counts for its entities, from when its label became known, days."""
