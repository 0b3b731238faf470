"""Rulesets of the rules bucket by digest, read and checked, with their models."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from common.ruleset_bucket import PREFIX, PROPOSALS
from engine.replay import UnknownRulesetError
from engine.rules.check import check_ruleset

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

    from engine.rules.ruleset import Ruleset

MAX_KEPT: Final = 4
"""Rulesets that a process keeps; reading one takes some hundredths of a second."""

_MISSING: Final = frozenset({"NoSuchKey", "404", "AccessDenied", "403"})
"""Without the right to list a bucket, S3 says of a key that does not exist that access is denied."""


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
        self._kept: OrderedDict[str, Ruleset] = OrderedDict()

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
        return self._ruleset(f"{PREFIX}{digest}", digest)

    def proposed(self, sha256: str) -> Ruleset:
        """Give a ruleset that was proposed, by its SHA-256; raises as :meth:`ruleset`."""
        return self._ruleset(f"{PROPOSALS}{sha256}", sha256[:12])

    def _ruleset(self, key: str, digest: str) -> Ruleset:
        if key not in self._kept:
            self._kept[key] = check_ruleset(self._document(key, digest), digest, self._model_of)
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _document(self, key: str, digest: str) -> bytes:
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _MISSING:
                raise UnknownRulesetError(f"Ruleset {digest} is not kept any more.") from error
            raise
