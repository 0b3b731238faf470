"""Rulesets of the rules bucket by digest, read and checked, with their models."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from common.ruleset_bucket import (
    ChangedDocumentError,
    MissingDocumentError,
    kept_ruleset,
    proposed_document,
)
from engine.replay import UnknownRulesetError
from engine.rules.check import check_ruleset

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

    from engine.rules.ruleset import Ruleset

MAX_KEPT: Final = 4
"""Rulesets that a process keeps; reading one takes some hundredths of a second."""


class KeptRulesets:
    """Gives rulesets.

    Parameters
    ----------
    s3 : S3Client
        A low-level client.
    bucket : str
        The rules bucket's name in this environment.
    model_of : Callable
        Gives the document of a model by its sha256; None where none is kept.
    """

    def __init__(self, s3: S3Client, bucket: str, model_of: Callable[[str], bytes | None]) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._model_of = model_of
        self._ruleset = lru_cache(MAX_KEPT)(self._read)

    def ruleset(self, digest: str) -> Ruleset:
        """Give the ruleset of a digest.

        Raises
        ------
        UnknownRulesetError
            Where the bucket has none of this digest.
        InvalidRulesetError
            Where this version refuses it, or its model is not kept.
        ClientError, BotoCoreError, ModelUnreachableError
            Where the bucket did not answer.
        """
        return self._ruleset(kept_ruleset, digest)

    def proposed(self, sha256: str) -> Ruleset:
        """Give a ruleset that was proposed, by its SHA-256; raises as :meth:`ruleset`."""
        return self._ruleset(proposed_document, sha256)

    def _read(self, document_of: Callable[[S3Client, str, str], bytes], digest: str) -> Ruleset:
        name = digest[:12]
        try:
            document = document_of(self._s3, self._bucket, digest)
        except MissingDocumentError as error:
            raise UnknownRulesetError(f"Ruleset {name} is not kept any more.") from error
        except ChangedDocumentError as error:
            raise UnknownRulesetError(f"What is kept as ruleset {name} is another document.") from error
        return check_ruleset(document, name, self._model_of)
