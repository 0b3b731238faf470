"""The bucket of audit heads: objects are listed, read, and written once, each locked from the moment at which it is written."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from botocore.exceptions import ClientError

from contract.audit_heads import HEADS_PREFIX, heads_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mypy_boto3_s3 import S3Client

_EXISTS: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})

_STEPS: Final = (timedelta(days=7), timedelta(days=90))
"""How far back the newest object is looked for first; then from the beginning."""


class HeadsBucket:
    """Objects of audit heads.

    Parameters
    ----------
    client : S3Client
        A low-level client.
    bucket : str
        The bucket's name in this environment.
    lock_mode : str
        Of each object's lock.
    retention : timedelta
        How long an object is locked.
    """

    def __init__(
        self,
        client: S3Client,
        bucket: str,
        lock_mode: Literal["COMPLIANCE", "GOVERNANCE"],
        retention: timedelta,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._lock_mode = lock_mode
        self._retention = retention

    def before(self, at: datetime) -> Iterator[bytes]:
        """Read the objects of hours before that of a moment, newest first. Raises ClientError, BotoCoreError."""
        key = heads_key(at)
        for begin in (*(heads_key(at - step) for step in _STEPS), ""):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=HEADS_PREFIX, StartAfter=begin
            )
            keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
            # An object of an hour to come is nobody's but an attacker's: it must not keep this one from writing.
            found = sorted((each for each in keys if each < key), reverse=True)
            if found or not begin:
                yield from map(self._read, found)
                return

    def keep(self, at: datetime, body: bytes) -> bool:
        """Write the object of an hour.

        Returns
        -------
        bool
            False where the hour has another object.

        Raises
        ------
        ClientError, BotoCoreError
            When the bucket did not take it.
        """
        key = heads_key(at)
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType="application/json",
                ChecksumAlgorithm="SHA256",  # S3 asks for a checksum where an object is locked
                IfNoneMatch="*",
                ObjectLockMode=self._lock_mode,
                ObjectLockRetainUntilDate=at + self._retention,
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in _EXISTS:
                raise
            return self._read(key) == body  # the client tries again by itself where an answer was lost
        return True

    def _read(self, key: str) -> bytes:
        return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
