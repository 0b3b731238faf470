"""Settings of the keeper of audit heads, one field for each variable of its function.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Settings(msgspec.Struct, frozen=True):
    """What the function reads from its environment."""

    audit_events_table: str
    """The table's name in this environment."""
    audit_heads_bucket: str
    """A bucket with Object Lock."""
    lock_mode: Literal["COMPLIANCE", "GOVERNANCE"]
    """COMPLIANCE: nobody can delete an object while it is locked. GOVERNANCE: whoever has `s3:BypassGovernanceRetention` can."""
    retention_days: Annotated[int, Meta(ge=1, le=36_500)]
    """How long each object is locked."""
