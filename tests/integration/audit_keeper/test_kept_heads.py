"""The keeper's zip on MiniStack: what it keeps is locked, shows a dropped tail, and is missed by the next run where it is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from contract.audit import DAYS, to_audit_item
from contract.audit_heads import heads_key
from local import audit_verify
from local.resources import AUDIT_HEADS_LOCK, resolve_environment
from local.runtime.package import unpack
from local.runtime.pool import FunctionPool
from ops.manifests import ROOT, read_function
from ops.packaging.functions import build_zip
from tests.support.audit_heads import MemoryHeads, keep_heads, write_hour
from tests.support.audit_memory import MemoryAudit
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HOUR = timedelta(hours=1)


class Keeping:
    """A table, a bucket, and the function beside them."""

    def __init__(self, dynamodb: Any, s3: Any, table: str, bucket: str, pool: FunctionPool) -> None:
        self.dynamodb, self.s3, self.table, self.bucket = dynamodb, s3, table, bucket
        self._pool = pool

    def write(self, rows: MemoryAudit) -> None:
        for item in rows.rows.values():
            self.dynamodb.put_item(TableName=self.table, Item=item)

    def drop_tail(self, rows: MemoryAudit) -> str:
        """Drop the last event of a chain of the last day; its place."""
        chain = max(name for name, _ in rows.rows if name != DAYS)
        item = to_audit_item(rows.chain(chain)[-1])
        key = {name: item[name] for name in ("day_shard", "sequence")}
        self.dynamodb.delete_item(TableName=self.table, Key=key)
        return f"{chain} {item['sequence']['N']}"

    def run(self) -> str:
        result = self._pool.invoke({"detail-type": "Scheduled Event"})
        assert result.error is None, result.error
        said: str = msgspec.json.decode(result.payload)
        return said


@pytest.fixture
def keeping(
    aws_client: Callable[[str], Any],
    aws_environment: dict[str, str],
    unique_name: Callable[[str], str],
    tmp_path: Path,
) -> Iterator[Keeping]:
    dynamodb, s3 = aws_client("dynamodb"), aws_client("s3")
    table, bucket = make_table(dynamodb, "audit_events", unique_name), unique_name("heads")
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    spec = read_function("audit_keeper")
    references = {"table.audit_events": table, "bucket.audit_heads": bucket, "metrics.namespace": "test"}
    references |= {f"audit_heads.{name}": value for name, value in AUDIT_HEADS_LOCK.items()}
    environment = {
        **resolve_environment(spec, references),
        "AWS_ENDPOINT_URL": aws_environment["AWS_ENDPOINT_URL"],
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    pool = FunctionPool(
        "audit_keeper",
        spec,
        unpack(build_zip("audit_keeper"), tmp_path / "functions"),
        environment,
        1,
        tmp_path / "logs",
        lambda_python=ROOT / ".venv-lambda" / "bin" / "python",
    )
    yield Keeping(dynamodb, s3, table, bucket, pool)
    pool.stop()


def test_what_is_kept_is_locked_and_shows_a_tail_that_was_dropped(
    keeping: Keeping, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = MemoryAudit()
    write_hour(rows, datetime.now(UTC))
    keeping.write(rows)
    said = keeping.run()
    key = said.partition(":")[0]
    arguments = ["--table", keeping.table, "--bucket", keeping.bucket]
    assert audit_verify.main(arguments) == 0, capsys.readouterr().out

    version = keeping.s3.head_object(Bucket=keeping.bucket, Key=key)["VersionId"]
    with pytest.raises(ClientError) as refusal:
        keeping.s3.delete_object(Bucket=keeping.bucket, Key=key, VersionId=version)
    keeping.s3.delete_object(Bucket=keeping.bucket, Key=key)
    dropped = keeping.drop_tail(rows)

    assert refusal.value.response["Error"]["Code"] == "AccessDenied"
    assert audit_verify.main(arguments) == 1
    found = capsys.readouterr().out
    assert f"{dropped}: dropped from the end" in found
    assert f"{key}: somebody deleted it; a version that was locked is still there" in found


def test_a_run_misses_the_heads_of_the_run_before_and_keeps_those_of_now(keeping: Keeping) -> None:
    rows, kept, before = MemoryAudit(), MemoryHeads(), datetime.now(UTC) - 2 * HOUR
    write_hour(rows, before)
    keep_heads(rows, kept, before)
    keeping.write(rows)
    keeping.s3.put_object(Bucket=keeping.bucket, Key=heads_key(before), Body=kept.objects[heads_key(before)])
    keeping.drop_tail(rows)

    said = keeping.run()

    assert said.endswith("heads kept, 1 of the last ones gone")
    assert keeping.run().endswith("exists")
