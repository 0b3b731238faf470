"""The Lambda as deployed: it reads function.yaml's environment, and an event of the schedule leaves a locked object."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from common.errors import SettingsError
from contract.audit_heads import from_heads_object
from ops.manifests import ScheduleTrigger, read_functions
from tests.support.audit_heads import write_hour
from tests.support.audit_memory import MemoryAudit
from tests.support.cold_start import cold_start, declare_environment, emitted
from tests.support.payments import Context
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

EVENT = {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}
SPEC = read_functions()["audit_keeper"]


@pytest.fixture
def declared(aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a deployed function, its table and its bucket."""
    declare_environment("audit_keeper", monkeypatch)
    monkeypatch.setenv("LOCK_MODE", "GOVERNANCE")
    monkeypatch.setenv("RETENTION_DAYS", "30")
    make_table(aws("dynamodb"), "audit_events")
    aws("s3").create_bucket(Bucket="audit_heads", ObjectLockEnabledForBucket=True)


@pytest.mark.usefixtures("declared")
def test_an_event_of_the_schedule_leaves_a_locked_object_with_the_heads(
    aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = MemoryAudit()
    write_hour(rows, datetime.now(UTC))
    for item in rows.rows.values():
        aws("dynamodb").put_item(TableName="audit_events", Item=item)

    cold_start("audit_keeper", monkeypatch).handler(EVENT, Context())

    (listed,) = aws("s3").list_objects_v2(Bucket="audit_heads")["Contents"]
    found = aws("s3").get_object(Bucket="audit_heads", Key=listed["Key"])
    kept = from_heads_object(found["Body"].read())
    assert kept is not None
    assert {head.day_shard for head in kept.heads} == {name for name, _ in rows.rows}
    assert found["ObjectLockMode"] == "GOVERNANCE"
    printed = emitted(capsys)
    assert printed["AuditHeadsKept"] == [1.0]
    assert printed["AuditHeadsGone"] == [0.0]


@pytest.mark.usefixtures("declared")
def test_a_lock_mode_that_s3_does_not_have_fails_the_cold_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCK_MODE", "NONE")

    with pytest.raises(SettingsError) as refusal:
        cold_start("audit_keeper", monkeypatch)

    assert "LOCK_MODE" in str(refusal.value)


def test_its_role_can_neither_change_events_nor_delete_what_was_kept() -> None:
    actions = {action for entry in SPEC.access for action in entry.actions}

    assert actions == {"Query", "GetObject", "ListBucket", "PutObject", "PutObjectRetention"}
    assert isinstance(SPEC.trigger, ScheduleTrigger)
    assert SPEC.trigger.every_minutes == 60
