"""Settings of the alert stage, one field for each variable of its function.yaml."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from common.stream_crashes import StreamCrashSettings


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
