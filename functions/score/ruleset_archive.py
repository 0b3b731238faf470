"""Every ruleset that was ever active, in the rules bucket: by digest for replays, and the last one for a start without AppConfig."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from common import model_archive
from common.ruleset_bucket import LAST_GOOD, PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from mypy_boto3_s3 import S3Client

    from common.model_archive import ModelArchive
    from engine.rules.ruleset import Ruleset

UNREADABLE: Final = "the last good ruleset cannot be read"
NONE_KEPT: Final = f"{UNREADABLE}: none was kept yet, or the role may not read it"

_ABSENT: Final = frozenset({"NoSuchKey", "AccessDenied"})
"""S3 answers 403 for an object that does not exist to whoever may not list the bucket, as the stage may not: the two look alike."""


class BucketRulesets:
    """The rules bucket.

    Parameters
    ----------
    s3 : S3Client
        A low-level client.
    bucket : str
        The bucket's name in this environment.
    pool : Executor
        Writes while the batch goes on.
    report : Callable[[str, Exception], None]
        Gets what failed, and why. The bucket is not needed to decide.
    models : ModelArchive
        Where the models of rulesets are kept.
    """

    def __init__(
        self,
        s3: S3Client,
        bucket: str,
        pool: Executor,
        report: Callable[[str, Exception], None],
        models: ModelArchive,
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._pool = pool
        self._report = report
        self._models = models

    def keep(self, ruleset: Ruleset, data: bytes) -> None:
        """Keep a ruleset that becomes active, and the models of both its sides, in the background."""
        models = {side.model_sha256 for side in ruleset.sides if side.model_sha256}
        self._pool.submit(self._put, ruleset.digest, data, sorted(models))

    def last_good(self) -> bytes | None:
        """Give the document that became active last; None where there is none, or no answer."""
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=LAST_GOOD)["Body"].read()
        except ClientError as error:
            is_absent = error.response.get("Error", {}).get("Code") in _ABSENT
            self._report(NONE_KEPT if is_absent else UNREADABLE, error)
        except BotoCoreError as error:
            self._report(UNREADABLE, error)
        return None

    def _put(self, digest: str, data: bytes, models: Sequence[str]) -> None:
        try:
            for model in models:  # first: the ruleset could not be read without them
                self._put_model(model)
            for key in (f"{PREFIX}{digest}", LAST_GOOD):
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=data)
        except (ClientError, BotoCoreError) as error:
            self._report("the active ruleset cannot be kept", error)

    def _put_model(self, sha256: str) -> None:
        """Keep a model that ships with this version, for the day when another ships. Others are in the bucket already."""
        data = self._models.shipped.get(sha256)
        if data is not None:
            self._s3.put_object(Bucket=self._bucket, Key=f"{model_archive.PREFIX}{sha256}", Body=data)
