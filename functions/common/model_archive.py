"""Models by their sha256: those that ship in the function's zip, and all others from the rules bucket."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from common.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

PREFIX: Final = "models/"
"""Of the keys; the sha256 follows."""

BASELINE: Final = ".baseline"
"""Behind a model's key, and in the place of ``.json`` in the tree: of what its training window was like."""

_MISSING: Final = frozenset({"NoSuchKey", "404", "AccessDenied", "403"})
"""Without the right to list a bucket, S3 says of a key that does not exist that access is denied."""


class ModelUnreachableError(StageError):
    """The rules bucket did not answer.

    Parameters
    ----------
    sha256 : str
        The model that was asked for.
    problem : str
        What happened.
    """

    def __init__(self, sha256: str, problem: str) -> None:
        super().__init__(f"model {sha256[:12]}: {problem}")
        self.sha256 = sha256
        self.problem = problem


class _Named(msgspec.Struct):
    sha256: str


class _OfModel(msgspec.Struct):
    model: str


class ModelArchive:
    """Gives models' documents.

    Parameters
    ----------
    s3 : S3Client
        A low-level client.
    bucket : str
        The rules bucket's name in this environment.
    folder : Path
        Of the documents that ship in the zip; each names its own digest. It is read when a model is first asked for.
    """

    def __init__(self, s3: S3Client, bucket: str, folder: Path) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._folder = folder

    @cached_property
    def shipped(self) -> Mapping[str, bytes]:
        """The documents that ship in the zip, by sha256."""
        documents = [path.read_bytes() for path in sorted(self._folder.glob("*.json"))]
        return {msgspec.json.decode(data, type=_Named).sha256: data for data in documents}

    def baseline(self, sha256: str) -> bytes | None:
        """Give what the payments of a model's training window were like; None where that is not kept. Errors as for :meth:`get`."""
        for path in sorted(self._folder.glob(f"*{BASELINE}")):
            data = path.read_bytes()
            if msgspec.json.decode(data, type=_OfModel).model == sha256:
                return data
        return self._read(sha256, f"{PREFIX}{sha256}{BASELINE}")

    def get(self, sha256: str) -> bytes | None:
        """Give a model's document.

        Parameters
        ----------
        sha256 : str
            The model's name.

        Returns
        -------
        bytes | None
            None where no model of this name is kept.

        Raises
        ------
        ModelUnreachableError
            Where the bucket did not answer; another try may succeed.
        """
        if sha256 in self.shipped:
            return self.shipped[sha256]
        return self._read(sha256, f"{PREFIX}{sha256}")

    def _read(self, sha256: str, key: str) -> bytes | None:
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _MISSING:
                return None
            raise ModelUnreachableError(sha256, str(error)) from error
        except BotoCoreError as error:
            raise ModelUnreachableError(sha256, str(error)) from error
