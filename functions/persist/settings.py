"""Settings of the persist stage, one field for each variable of its function.yaml."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from common.stream_crashes import StreamCrashSettings


class Settings(StreamCrashSettings, frozen=True, kw_only=True):
    """What the persist stage reads from its environment."""

    flagged_transactions_table: str
    """The table's name in this environment."""
    flagged_retention_days: Annotated[int, Meta(ge=1, le=3653)]
    """How long a flagged payment is stored, days."""
