"""Settings of the alert stage, one field for each variable of its function.yaml."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from alert.windows import AlertLimits
from common.alert_link import ConsoleUrl
from common.stream_crashes import StreamCrashSettings
from contract.alert_windows import MAX_RECENT


class Settings(StreamCrashSettings, frozen=True, kw_only=True):
    """What the alert stage reads from its environment."""

    sns_topic_arn: Annotated[str, Meta(pattern="^arn:")]
    """The topic that security teams subscribe to."""
    flagged_transactions_table: str
    """The table's name in this environment."""
    alert_windows_table: str
    """The table's name in this environment."""
    alert_window_seconds: Annotated[int, Meta(ge=1, le=604_800)]
    """Width of a window, seconds of event time: payments nearer than this to an alerted one are only counted."""
    alert_again_factor: Annotated[float, Meta(ge=0.1, le=1_000)]
    """A window is alerted again where the sum suppressed exceeds the sum reported by this factor,"""
    alert_again_amount_base: Annotated[float, Meta(ge=0, le=1e12)]
    """or by this amount, major units of the ruleset's base currency."""
    alert_again_minimum_base: Annotated[float, Meta(ge=0, le=1e12)]
    """Less than this is not alerted again, major units of the base currency."""
    alert_messages_per_hour: Annotated[int, Meta(ge=1, le=MAX_RECENT)]
    """The most alerts of a user whose payments Kafka took within an hour; a digest reports the rest."""
    console_url: ConsoleUrl = ""
    """Where alerts lead to; empty without a console."""

    @property
    def alert_limits(self) -> AlertLimits:
        """The same, as the stage takes them."""
        return AlertLimits(
            width=timedelta(seconds=self.alert_window_seconds),
            again_factor=Decimal(str(self.alert_again_factor)),
            again_amount=Decimal(str(self.alert_again_amount_base)),
            again_minimum=Decimal(str(self.alert_again_minimum_base)),
            messages_per_hour=self.alert_messages_per_hour,
        )
