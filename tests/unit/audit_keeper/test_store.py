"""Objects are written once and locked, and the newest one is found however old it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from audit_keeper.store import HeadsBucket
from contract.audit_heads import heads_key

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def s3(aws: Callable[[str], Any]) -> Any:
    client = aws("s3")
    client.create_bucket(Bucket="heads", ObjectLockEnabledForBucket=True)
    return client


@pytest.fixture
def bucket(s3: Any) -> HeadsBucket:
    return HeadsBucket(s3, "heads", "COMPLIANCE", timedelta(days=400))


def test_an_object_is_locked_from_the_moment_at_which_it_is_written(s3: Any, bucket: HeadsBucket) -> None:
    now = datetime.now(UTC).replace(microsecond=0)

    assert bucket.keep(now, b"heads")

    found = s3.head_object(Bucket="heads", Key=heads_key(now))
    assert found["ObjectLockMode"] == "COMPLIANCE"
    assert found["ObjectLockRetainUntilDate"] == now + timedelta(days=400)
    with pytest.raises(ClientError):
        s3.delete_object(Bucket="heads", Key=heads_key(now), VersionId=found["VersionId"])


def test_an_hour_that_has_an_object_gets_no_other_one(s3: Any, bucket: HeadsBucket) -> None:
    bucket.keep(NOW, b"first")

    assert not bucket.keep(NOW, b"second")
    assert bucket.keep(NOW, b"first")  # the answer to the first try was lost

    versions = s3.list_object_versions(Bucket="heads")["Versions"]
    assert len(versions) == 1


def test_what_the_bucket_refuses_for_another_reason_is_raised(s3: Any, bucket: HeadsBucket) -> None:
    with Stubber(s3) as stub:
        stub.add_client_error("put_object", "AccessDenied", http_status_code=403)

        with pytest.raises(ClientError):
            bucket.keep(NOW, b"heads")


@pytest.mark.parametrize("age", [HOUR, 3 * DAY, 40 * DAY, 300 * DAY])
def test_the_object_before_is_found_however_old_it_is(bucket: HeadsBucket, age: timedelta) -> None:
    bucket.keep(NOW - age, b"newest")
    bucket.keep(NOW - age - HOUR, b"older")

    assert list(bucket.before(NOW))[:2] == [b"newest", b"older"]


def test_an_object_of_this_hour_or_of_one_to_come_is_not_before_it(bucket: HeadsBucket) -> None:
    bucket.keep(NOW, b"now")
    bucket.keep(NOW + DAY, b"to come")

    assert list(bucket.before(NOW)) == []
