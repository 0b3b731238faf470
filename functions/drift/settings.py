"""Settings of the drift stage, one field for each variable of its function.yaml."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Settings(msgspec.Struct, frozen=True):
    """What the function reads from its environment."""

    rules_bucket: str
    """Keeps every ruleset and model that was ever active."""
    rollout_counts_table: str
    """The tables' names in this environment."""
    ruleset_changes_table: str
    labels_table: str
    transaction_history_table: str
    max_labels: Annotated[int, Meta(ge=100, le=100_000)] = 5_000
    """Labels that one run reads, spread over all users."""
