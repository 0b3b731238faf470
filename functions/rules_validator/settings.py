"""Settings of the validator, one field for each variable of its function.yaml."""

from __future__ import annotations

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """What the validator reads from its environment."""

    rules_bucket: str
    """Where the models of rulesets are."""
