"""Settings of the replay function, one field for each variable of its function.yaml."""

from __future__ import annotations

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """What the function reads from its environment."""

    rules_bucket: str
    """Where every ruleset and model is that was ever active."""
    transaction_history_table: str
    """The table's name in this environment."""
