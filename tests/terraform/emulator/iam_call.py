"""A call whose IAM requests are asked for, and what is asked about the emulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


class State(Protocol):
    """What the emulator knows of resources, as far as condition keys depend on it."""

    def keys_of(self, arn: str) -> dict[str, str | list[str]]:
        """Condition keys of a resource: its tags as ``aws:ResourceTag/<key>``, a role's ``iam:PermissionsBoundary``."""

    def resource_behind(self, value: str) -> str:
        """The route table of an association's id; any other value as it is."""

    def key_of_bucket(self, bucket: str) -> str | None:
        """ARN of the customer key that encrypts a bucket's objects."""


@dataclass(frozen=True)
class Call:
    """One API call."""

    service: str
    """Name of botocore's client."""
    operation: str
    parameters: dict[str, Any]
    region: str
    account: str
