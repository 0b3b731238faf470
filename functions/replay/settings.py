"""Settings of the replay function, one field for each variable of its function.yaml."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from replay.trial import Bounds


class Settings(msgspec.Struct, frozen=True):
    """What the function reads from its environment."""

    rules_bucket: str
    """Where every ruleset and model is that was ever active."""
    transaction_history_table: str
    """The table's name in this environment, as of the next three."""
    flagged_transactions_table: str
    entity_risk_table: str
    rollout_counts_table: str
    trial_max_payments: Annotated[int, Meta(ge=1, le=10_000_000)]
    """After so many payments a trial ends; those of the last page are counted too."""
    trial_seconds: Annotated[int, Meta(ge=1, le=880)]
    """After so long it ends."""

    @property
    def bounds(self) -> Bounds:
        """How much a trial does."""
        return Bounds(self.trial_max_payments, timedelta(seconds=self.trial_seconds))
