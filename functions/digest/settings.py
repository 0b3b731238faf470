"""Settings of the digest stage, one field for each variable of its function.yaml."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from common.alert_link import ConsoleUrl


class Settings(msgspec.Struct, frozen=True):
    """What the digest stage reads from its environment."""

    sns_topic_arn: Annotated[str, Meta(pattern="^arn:")]
    """The topic that security teams subscribe to."""
    alert_windows_table: str
    """The table's name in this environment."""
    console_url: ConsoleUrl = ""
    """Where digests lead to; empty without a console."""
