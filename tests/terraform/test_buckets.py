"""Every bucket that the modules make: closed, encrypted, logged, and kept for as long as it must be."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from ops.manifests import StreamTrigger, read_functions
from tests.terraform.rendered_modules import ACCOUNT, NAME, REGION, UNPROTECTED
from tests.terraform.rendering import buckets

KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/"

EXPIRY_DAYS: Final = {
    "landing": {"": 7},
    "quarantine": {"": 90},
    "work": {"temp/": 7},
    "access-log": {"": 90},
    "history-export": {"exports/": 300},
    "backtest": {"exports/": 3, "runs/": 30},
    "training": {"code/": 3, "exports/": 3},
    "audit": {"": 365},
} | {
    f"{name}-dead-letter": {"": 21}
    for name, function in read_functions().items()
    if isinstance(function.trigger, StreamTrigger)
}
"""Days after which objects are deleted, by bucket and prefix. Of the work bucket only temporary files are: the checkpoint stays."""

WITHOUT_LOG: Final = {"access-log", "audit"}
"""A log of the access log would never end; CloudTrail's files are in the trail's own events."""


def found(bucket: str, prefix: str = NAME) -> dict[str, dict[str, Any]]:
    return buckets()[f"{prefix}-{bucket}-{ACCOUNT}"]


def statements(bucket: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(found(bucket)["aws_s3_bucket_policy"]["policy"])["Statement"]
    return listed


def test_each_bucket_is_checked_here() -> None:
    names = {name for name in buckets() if not name.startswith(str(UNPROTECTED["name"]))}

    assert names == {f"{NAME}-{bucket}-{ACCOUNT}" for bucket in EXPIRY_DAYS}


@pytest.mark.parametrize("bucket", EXPIRY_DAYS)
def test_nobody_outside_the_account_reads_it_and_a_mistake_can_be_undone(bucket: str) -> None:
    parts = found(bucket)

    block = parts["aws_s3_bucket_public_access_block"]
    for setting in (
        "block_public_acls",
        "block_public_policy",
        "ignore_public_acls",
        "restrict_public_buckets",
    ):
        assert block[setting] is True
    (ownership,) = parts["aws_s3_bucket_ownership_controls"]["rule"]
    assert ownership["object_ownership"] == "BucketOwnerEnforced"
    (versioning,) = parts["aws_s3_bucket_versioning"]["versioning_configuration"]
    assert versioning["status"] == "Enabled"


@pytest.mark.parametrize("bucket", EXPIRY_DAYS)
def test_neither_the_bucket_nor_an_object_is_reached_without_tls(bucket: str) -> None:
    arn = found(bucket)["aws_s3_bucket"]["arn"]

    refused = [statement for statement in statements(bucket) if statement["Effect"] == "Deny"]

    for statement in refused:
        assert (statement["Principal"], statement["Action"]) == ("*", "s3:*")
        assert statement["Resource"] == [arn, f"{arn}/*"]
    assert [statement["Condition"] for statement in refused] == [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
    ]


@pytest.mark.parametrize("bucket", EXPIRY_DAYS)
def test_nothing_is_allowed_to_anybody_but_the_services_of_this_account(bucket: str) -> None:
    trail = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{NAME}-payments"
    expected = {
        "access-log": [("logging.s3.amazonaws.com", "aws:SourceAccount", ACCOUNT)],
        "audit": [("cloudtrail.amazonaws.com", "aws:SourceArn", trail)] * 2,
    }

    allowed = [statement for statement in statements(bucket) if statement["Effect"] == "Allow"]

    assert [
        (statement["Principal"]["Service"], key, statement["Condition"]["StringEquals"][key])
        for statement, (_, key, _) in zip(allowed, expected.get(bucket, []), strict=True)
    ] == expected.get(bucket, [])


@pytest.mark.parametrize("bucket", EXPIRY_DAYS)
def test_its_content_has_the_customer_key_and_who_read_it_is_logged(bucket: str) -> None:
    parts = found(bucket)

    (rule,) = parts["aws_s3_bucket_server_side_encryption_configuration"]["rule"]
    (encryption,) = rule["apply_server_side_encryption_by_default"]
    key = {"access-log": None, "audit": f"{KEY}logs"}.get(bucket, f"{KEY}data")
    assert encryption["kms_master_key_id"] == key
    assert encryption["sse_algorithm"] == ("AES256" if key is None else "aws:kms")
    assert ("aws_s3_bucket_logging" in parts) == (bucket not in WITHOUT_LOG)
    for logging in [parts["aws_s3_bucket_logging"]] if bucket not in WITHOUT_LOG else []:
        assert logging["target_bucket"].startswith(f"{NAME}-access-log")


@pytest.mark.parametrize("bucket", EXPIRY_DAYS)
def test_objects_expire_in_time_and_others_stay(bucket: str) -> None:
    rules = found(bucket)["aws_s3_bucket_lifecycle_configuration"]["rule"]

    expiry = {rule["filter"][0]["prefix"]: rule["expiration"][0]["days"] for rule in rules[:-1]}
    assert expiry == EXPIRY_DAYS[bucket]
    # A landed file may hold card numbers, and an export for a backtest is of no use later, so what was deleted goes after a day.
    assert rules[-1]["noncurrent_version_expiration"][0]["noncurrent_days"] == (
        1 if bucket in ("landing", "backtest", "training") else 7
    )


def test_exports_are_in_the_cheapest_class_that_is_read_at_once() -> None:
    rule = found("history-export")["aws_s3_bucket_lifecycle_configuration"]["rule"][0]

    assert [transition["storage_class"] for transition in rule["transition"]] == ["GLACIER_IR"]


@pytest.mark.parametrize("bucket", EXPIRY_DAYS)
def test_a_protected_bucket_keeps_its_objects(bucket: str) -> None:
    assert found(bucket)["aws_s3_bucket"]["force_destroy"] is False


@pytest.mark.parametrize("bucket", ["landing", "quarantine", "work", "access-log"])
def test_without_protection_destroy_leaves_nothing(bucket: str) -> None:
    assert found(bucket, str(UNPROTECTED["name"]))["aws_s3_bucket"]["force_destroy"] is True
