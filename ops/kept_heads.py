"""Reads the heads of audit chains that were kept in a bucket with Object Lock: every version of every object."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import msgspec

from contract.audit_heads import HEADS_PREFIX, StoredHeads

READERS: Final = 8
"""Objects that are read at a time: an hour has one, so a year has 8,760."""


class KeptObjects(msgspec.Struct, frozen=True):
    """What the bucket has."""

    stored: tuple[StoredHeads, ...]
    """In the order of keys; the versions of a key in the order in which they were stored."""
    deleted: tuple[str, ...]
    """Keys with a delete marker."""


class HeadsBucket:
    """The bucket of audit heads.

    Parameters
    ----------
    client
        A boto3 S3 client.
    name : str
        The bucket's name in this environment.
    """

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def read(self) -> KeptObjects:
        """Read all objects, also those that somebody deleted or stored again; ClientError, BotoCoreError."""
        versions, deleted = self._versions()
        with ThreadPoolExecutor(READERS) as readers:
            stored = tuple(readers.map(self._read, versions))
        return KeptObjects(stored, deleted)

    def lock(self) -> str:
        """Say how new objects are locked: ``COMPLIANCE, 400 days``; empty without a lock. Raises as :meth:`read`."""
        try:
            answer = self._client.get_object_lock_configuration(Bucket=self._name)
        except self._client.exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ObjectLockConfigurationNotFoundError":
                return ""
            raise
        retention = answer["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention", {})
        return f"{retention['Mode']}, {retention.get('Days', 0)} days" if "Mode" in retention else "enabled"

    def _versions(self) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._name, Prefix=HEADS_PREFIX
        )
        found, deleted = [], set()
        for page in pages:
            found += [
                (each["Key"], each["LastModified"], each["VersionId"]) for each in page.get("Versions", [])
            ]
            deleted |= {each["Key"] for each in page.get("DeleteMarkers", [])}
        return [(key, version) for key, _, version in sorted(found)], tuple(sorted(deleted))

    def _read(self, version: tuple[str, str]) -> StoredHeads:
        key, version_id = version
        answer = self._client.get_object(Bucket=self._name, Key=key, VersionId=version_id)
        return StoredHeads(key=key, body=answer["Body"].read(), stored_at=answer["LastModified"])
