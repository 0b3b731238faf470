"""Rulesets in the rules bucket: every one that was ever active by its digest, and what was proposed by its whole SHA-256."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from common.errors import StageError
from contract.ruleset_change import document_digest, document_sha256

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX: Final = "rulesets/"
"""Of the keys of rulesets that were active; the digest follows."""

LAST_GOOD: Final = f"{PREFIX}last-good"
"""Key of the ruleset that became active last, in any process of the score stage. While a deployment is under way processes differ; at its
end, or after its rollback, each that had the other ruleset has written this one."""

PROPOSALS: Final = "proposals/"
"""Of the keys of documents that were proposed; the SHA-256 follows. Whoever may propose can write here, and nowhere else."""

_MISSING: Final = frozenset({"NoSuchKey", "404", "AccessDenied", "403"})
"""Without the right to list a bucket, S3 says of a key that does not exist that access is denied."""


class MissingDocumentError(StageError):
    """A ruleset's document is not in the bucket.

    Parameters
    ----------
    key : str
        Where it was looked for.
    """

    def __init__(self, key: str) -> None:
        super().__init__(f"the rules bucket has no {key}")
        self.key = key


class ChangedDocumentError(StageError):
    """A ruleset's document in the bucket is not the one that its key names.

    Parameters
    ----------
    key : str
        Where it is.
    """

    def __init__(self, key: str) -> None:
        super().__init__(f"{key} in the rules bucket is another document than the one that was put there")
        self.key = key


def keep_ruleset(s3: S3Client, bucket: str, digest: str, document: bytes) -> None:
    """Keep a document that becomes active.

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


def kept_ruleset(s3: S3Client, bucket: str, digest: str) -> bytes:
    """Read a document that was active.

    Raises
    ------
    MissingDocumentError
        Where it is not kept.
    ChangedDocumentError
        Where it has another digest.
    ClientError, BotoCoreError
        Where the bucket did not answer.
    """
    key = f"{PREFIX}{digest}"
    document = _read(s3, bucket, key)
    if document_digest(document) != digest:
        raise ChangedDocumentError(key)
    return document


def put_proposal(s3: S3Client, bucket: str, document: bytes) -> str:
    """Keep a document that is proposed; give its SHA-256. Raises ClientError or BotoCoreError where the bucket did not take it."""
    sha256 = document_sha256(document)
    s3.put_object(Bucket=bucket, Key=f"{PROPOSALS}{sha256}", Body=document)
    return sha256


def proposed_document(s3: S3Client, bucket: str, sha256: str) -> bytes:
    """Read a document that was proposed; raises as :func:`kept_ruleset`."""
    key = f"{PROPOSALS}{sha256}"
    document = _read(s3, bucket, key)
    if document_sha256(document) != sha256:
        raise ChangedDocumentError(key)
    return document


def _read(s3: S3Client, bucket: str, key: str) -> bytes:
    try:
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _MISSING:
            raise MissingDocumentError(key) from error
        raise
