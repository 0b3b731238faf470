"""Settings of the reconciler, one field for each variable of its function.yaml."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Settings(msgspec.Struct, frozen=True):
    """What the reconciler reads from its environment."""

    transaction_history_table: str
    """The table's name in this environment."""
    flagged_transactions_table: str
    """The table's name in this environment."""
    cases_table: str
    """The table's name in this environment."""
    persist_function: str
    """The stage that flags payments, as it is invoked."""
    alert_function: str
    """The stage that alerts on them, as it is invoked."""
    case_function: str
    """The stage that collects them in cases, as it is invoked."""
    look_back_hours: Annotated[int, Meta(ge=1, le=720)]
    """How old the payments are that are looked at, hours since their decision."""
    grace_minutes: Annotated[int, Meta(ge=0, le=600)]
    """Age below which a payment may still be on its way, minutes."""
