"""Settings of card_token, one field for each variable of its function.yaml."""

from __future__ import annotations

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """What card_token reads from its environment."""

    tokenization_key_arn: str
    """ARN of the HMAC key in KMS from which the ingestion job derives the key of its tokens."""
