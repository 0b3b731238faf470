"""Settings of the canary, one field for each variable of its function.yaml."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Settings(msgspec.Struct, frozen=True):
    """What the canary reads from its environment."""

    landing_bucket: str
    """Where files of payments land."""
    landing_prefix: str
    """Beginning of their keys; the canary's folder is directly below it."""
    transaction_history_table: str
    """The table's name in this environment."""
    canary_queue_url: str
    """The queue that subscribes to the canary's messages on the alert topic."""
    every_minutes: Annotated[int, Meta(ge=1, le=60)]
    """From one run to the next, minutes: the interval of the schedule."""
