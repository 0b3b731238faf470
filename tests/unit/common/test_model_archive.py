"""Models by their sha256, from the zip or from the rules bucket."""

from __future__ import annotations

import json
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
SHA256: str = json.loads(MODEL)["sha256"]


class Refusing:
    """An S3 client that answers with one error."""

    def __init__(self, code: str) -> None:
        self._code = code

    def get_object(self, **_request: str) -> None:
        raise ClientError({"Error": {"Code": self._code}}, "GetObject")


def test_a_model_that_ships_needs_no_bucket() -> None:
    archive = ModelArchive(Refusing("InternalError"), "rules", [MODEL])  # type: ignore[arg-type]

    assert archive.get(SHA256) == MODEL


def test_another_model_comes_from_the_bucket(aws: Callable[[str], Any]) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="rules")
    s3.put_object(Bucket="rules", Key=f"models/{SHA256}", Body=MODEL)

    assert ModelArchive(s3, "rules").get(SHA256) == MODEL


def test_a_model_that_is_not_there_is_not_known(aws: Callable[[str], Any]) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="rules")

    assert ModelArchive(s3, "rules").get(SHA256) is None


def test_without_the_right_to_list_a_missing_model_is_not_known_either() -> None:
    assert ModelArchive(Refusing("AccessDenied"), "rules").get(SHA256) is None  # type: ignore[arg-type]


def test_a_bucket_that_fails_is_worth_another_try() -> None:
    archive = ModelArchive(Refusing("InternalError"), "rules")  # type: ignore[arg-type]

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
        ModelArchive(s3, "rules").get(SHA256)


def test_a_model_that_ships_is_kept_for_the_day_when_another_ships(aws: Callable[[str], Any]) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="rules")

    ModelArchive(s3, "rules", [MODEL]).keep(SHA256)
    ModelArchive(s3, "rules", [MODEL]).keep("0" * 64)

    assert ModelArchive(s3, "rules").get(SHA256) == MODEL
    assert s3.list_objects_v2(Bucket="rules")["KeyCount"] == 1
