"""Rulesets in the rules bucket, by digest: every one that was ever active."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX: Final = "rulesets/"
"""Of the keys; the digest follows."""


def keep_ruleset(s3: S3Client, bucket: str, digest: str, document: bytes) -> None:
    """Keep a document.

    Parameters
    ----------
    s3 : S3Client
        A low-level client.
    bucket : str
        The rules bucket's name in this environment.
    digest : str
        First 12 hexadecimal digits of the document's SHA-256.
    document : bytes
        As AppConfig gives it.

    Raises
    ------
    ClientError, BotoCoreError
        Where the bucket did not take it.
    """
    s3.put_object(Bucket=bucket, Key=f"{PREFIX}{digest}", Body=document)
