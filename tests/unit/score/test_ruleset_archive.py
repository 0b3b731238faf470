"""Every ruleset that was ever active is in the rules bucket, and the one that became active last can be found."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from common.model_archive import ModelArchive
from engine.rules.check import check_ruleset
from score.ruleset_archive import NONE_KEPT, UNREADABLE, BucketRulesets
from tests.support.model_samples import model_document
from tests.support.moto_aws import aws
from tests.support.rule_samples import HEAD, document

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]

MODEL = model_document()
SHA256: str = json.loads(MODEL)["sha256"]


def _document(version: str) -> bytes:
    return document(head=HEAD.replace('"1"', f'"{version}"')).encode()


class Bucket:
    """The rules bucket with its reports; ``keep`` waits until the background has written."""

    def __init__(self, s3: Any, name: str, zipped: Path) -> None:
        self.s3 = s3
        self.name = name
        self.models = ModelArchive(s3, name, zipped)
        self.reports: list[str] = []

    def keep(self, data: bytes) -> str:
        ruleset = check_ruleset(data, "test", self.models.get)
        with ThreadPoolExecutor() as pool:
            self._rulesets(pool).keep(ruleset, data)
        return ruleset.digest

    def last_good(self) -> bytes | None:
        with ThreadPoolExecutor() as pool:
            return self._rulesets(pool).last_good()

    def _rulesets(self, pool: ThreadPoolExecutor) -> BucketRulesets:
        return BucketRulesets(
            self.s3, self.name, pool, lambda what, error: self.reports.append(what), self.models
        )


@pytest.fixture
def bucket(aws: Callable[[str], Any], tmp_path: Path) -> Bucket:
    (tmp_path / "default.json").write_bytes(MODEL)
    aws("s3").create_bucket(Bucket="rules")
    return Bucket(aws("s3"), "rules", tmp_path)


def test_rulesets_are_kept_by_digest_and_the_last_one_is_found(bucket: Bucket) -> None:
    digests = [bucket.keep(_document(version)) for version in ("1", "2")]

    stored = {each["Key"] for each in bucket.s3.list_objects_v2(Bucket="rules")["Contents"]}
    assert stored == {f"rulesets/{digests[0]}", f"rulesets/{digests[1]}", "rulesets/last-good"}
    assert bucket.last_good() == _document("2")
    assert bucket.reports == []


def test_after_a_rollback_the_earlier_ruleset_is_the_last_one(bucket: Bucket) -> None:
    for version in ("1", "2", "1"):
        bucket.keep(_document(version))

    assert bucket.last_good() == _document("1")


def test_an_empty_bucket_has_none_and_says_so(bucket: Bucket) -> None:
    assert bucket.last_good() is None
    assert bucket.reports == [NONE_KEPT]


class NotListed:
    """S3 for a role that may not list the bucket: an object that does not exist is forbidden, and so are all others at a fault."""

    def __init__(self, code: str, status: int) -> None:
        self._answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}

    def get_object(self, **_: str) -> Any:
        raise ClientError(self._answer, "GetObject")


def test_an_object_that_is_absent_without_the_right_to_list_is_absent_and_not_a_fault() -> None:
    bucket = Bucket(NotListed("AccessDenied", 403), "rules", Path("nowhere"))

    assert bucket.last_good() is None
    assert bucket.reports == [NONE_KEPT]


def test_another_refusal_is_a_fault_of_the_bucket() -> None:
    bucket = Bucket(NotListed("SlowDown", 503), "rules", Path("nowhere"))

    assert bucket.last_good() is None
    assert bucket.reports == [UNREADABLE]


def test_a_bucket_that_refuses_fails_no_batch_and_is_reported(
    aws: Callable[[str], Any], tmp_path: Path
) -> None:
    missing = Bucket(aws("s3"), "nowhere", tmp_path)

    missing.keep(_document("1"))

    assert missing.last_good() is None
    assert missing.reports == ["the active ruleset cannot be kept", UNREADABLE]


def test_a_model_that_ships_is_kept_with_the_ruleset_that_names_it(bucket: Bucket) -> None:
    bucket.keep(_document("1") + f"model: {{sha256: {SHA256}}}\n".encode())

    later = ModelArchive(bucket.s3, "rules", Path("nowhere"))
    assert later.get(SHA256) == MODEL
    assert bucket.reports == []


def test_the_models_of_champion_and_candidate_are_kept(aws: Callable[[str], Any], tmp_path: Path) -> None:
    other = model_document(intercept=-3.0)
    other_sha256 = json.loads(other)["sha256"]
    for name, data in (("one.json", MODEL), ("two.json", other)):
        (tmp_path / name).write_bytes(data)
    aws("s3").create_bucket(Bucket="rules")
    bucket = Bucket(aws("s3"), "rules", tmp_path)
    candidate = f'{{version: "2", share: 0, thresholds: {{review: 40, block: 90}}, rules: [], model: {{sha256: {other_sha256}}}}}'

    bucket.keep(document(head=f"{HEAD}model: {{sha256: {SHA256}}}\ncandidate: {candidate}\n").encode())

    stored = {each["Key"] for each in bucket.s3.list_objects_v2(Bucket="rules")["Contents"]}
    assert {f"models/{SHA256}", f"models/{other_sha256}"} <= stored


def test_a_model_that_does_not_ship_is_in_the_bucket_already_and_not_written(bucket: Bucket) -> None:
    bucket.keep(_document("1"))

    keys = {each["Key"] for each in bucket.s3.list_objects_v2(Bucket="rules")["Contents"]}
    assert all(key.startswith("rulesets/") for key in keys)
