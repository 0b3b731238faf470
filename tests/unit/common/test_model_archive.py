"""Models by their sha256, from the zip or from the rules bucket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from common.model_archive import ModelArchive, ModelUnreachableError
from tests.support.model_samples import model_document
from tests.support.moto_aws import aws

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]

MODEL = model_document()
NO_MODELS = Path("nowhere")
SHA256: str = json.loads(MODEL)["sha256"]


class Refusing:
    """An S3 client that answers with one error."""

    def __init__(self, code: str) -> None:
        self._code = code

    def get_object(self, **_request: str) -> None:
        raise ClientError({"Error": {"Code": self._code}}, "GetObject")


@pytest.fixture
def zipped(tmp_path: Path) -> Path:
    """The zip's folder of models."""
    (tmp_path / "default.json").write_bytes(MODEL)
    return tmp_path


def test_a_model_that_ships_needs_no_bucket(zipped: Path) -> None:
    archive = ModelArchive(Refusing("InternalError"), "rules", zipped)  # type: ignore[arg-type]

    assert archive.get(SHA256) == MODEL


def test_another_model_comes_from_the_bucket(aws: Callable[[str], Any]) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="rules")
    s3.put_object(Bucket="rules", Key=f"models/{SHA256}", Body=MODEL)

    assert ModelArchive(s3, "rules", NO_MODELS).get(SHA256) == MODEL


def test_a_model_that_is_not_there_is_not_known(aws: Callable[[str], Any]) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="rules")

    assert ModelArchive(s3, "rules", NO_MODELS).get(SHA256) is None


def test_without_the_right_to_list_a_missing_model_is_not_known_either() -> None:
    assert ModelArchive(Refusing("AccessDenied"), "rules", NO_MODELS).get(SHA256) is None  # type: ignore[arg-type]


def test_a_bucket_that_fails_is_worth_another_try() -> None:
    archive = ModelArchive(Refusing("InternalError"), "rules", NO_MODELS)  # type: ignore[arg-type]

    with pytest.raises(ModelUnreachableError, match=rf"^model {SHA256[:12]}: .*InternalError") as caught:
        archive.get(SHA256)
    assert caught.value.sha256 == SHA256


def test_a_bucket_that_cannot_be_reached_is_worth_another_try() -> None:
    import boto3

    once = Config(connect_timeout=0.1, retries={"total_max_attempts": 1})
    s3 = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:1",
        region_name="eu-central-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=once,
    )

    with pytest.raises(ModelUnreachableError, match=r"127\.0\.0\.1"):
        ModelArchive(s3, "rules", NO_MODELS).get(SHA256)
