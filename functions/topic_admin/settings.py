"""Settings of topic_admin, one field for each variable of its function.yaml."""

from __future__ import annotations

from typing import Literal

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """What topic_admin reads from its environment."""

    kafka_bootstrap_servers: str
    """``host:port,host:port``."""
    kafka_security_protocol: Literal["SASL_SSL", "PLAINTEXT"]
    """``SASL_SSL`` signs in with an IAM token over TLS; ``PLAINTEXT`` does not sign in."""
