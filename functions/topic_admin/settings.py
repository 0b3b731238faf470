"""Settings of topic_admin, one field for each variable of its function.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Settings(msgspec.Struct, frozen=True):
    """What topic_admin reads from its environment."""

    kafka_bootstrap_servers: Annotated[str, Meta(min_length=1)]
    """``host:port,host:port``."""
    kafka_security_protocol: Literal["SASL_SSL", "PLAINTEXT"]
    """``SASL_SSL`` signs in with an IAM token over TLS; ``PLAINTEXT`` does not sign in."""
