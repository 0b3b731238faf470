"""`make audit-verify` says in a sentence where a chain of audit events or what was kept of it was changed, and that nothing was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from botocore.exceptions import NoRegionError

from contract.audit import DAYS, to_audit_item
from local import audit_verify
from tests.support.audit_heads import MemoryHeads, keep_heads, relinked, write_hour
from tests.support.audit_memory import MemoryAudit
from tests.support.moto_aws import aws
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contract.audit import AuditEvent

    Verify = Callable[..., tuple[int, str]]
    """Runs it: its code, and what it printed."""

__all__ = ["aws"]

BUCKET = "heads"


class World:
    """A table with the events of two days, and a bucket with the heads of their hours."""

    def __init__(self, dynamodb: Any, s3: Any) -> None:
        self.dynamodb, self.s3 = dynamodb, s3
        self.rows = MemoryAudit()
        make_table(dynamodb, "audit_events")
        s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        kept = MemoryHeads()
        # S3's clock is the real one: the objects say that they were written just now, of an hour each.
        now = datetime.now(UTC)
        for hours in (25, 24, 0):
            write_hour(self.rows, now - timedelta(hours=hours, minutes=1))
        keep_heads(self.rows, kept, now)
        for event in self.events():
            dynamodb.put_item(TableName="audit_events", Item=to_audit_item(event))
        for key, body in kept.objects.items():
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        (self.key,) = kept.objects

    def events(self) -> list[AuditEvent]:
        return [
            event for name in sorted({name for name, _ in self.rows.rows}) for event in self.rows.chain(name)
        ]

    def put(self, event: AuditEvent) -> None:
        self.dynamodb.put_item(TableName="audit_events", Item=to_audit_item(event))

    def drop(self, event: AuditEvent) -> None:
        item = to_audit_item(event)
        self.dynamodb.delete_item(
            TableName="audit_events", Key={name: item[name] for name in ("day_shard", "sequence")}
        )

    def view(self, is_last: bool = False) -> AuditEvent:
        """A view of a case: the second event of the first day, or the last event of the last day."""
        views = [event for event in self.events() if event.action == "case_viewed"]
        newest = max(event.day_shard for event in views)
        chain = [event for event in views if event.day_shard == newest]
        return chain[-1] if is_last else next(event for event in views if event.sequence == 1)


@pytest.fixture
def world(aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(aws("dynamodb"), aws("s3"))
    place = audit_verify.Place(made.dynamodb, made.s3, "audit_events", BUCKET)
    monkeypatch.setattr(audit_verify, "_place", lambda _: place)
    return made


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def run(*arguments: str) -> tuple[int, str]:
        code = audit_verify.main(arguments)
        return code, capsys.readouterr().out

    return run


def test_untouched_chains_are_said_to_be_so(world: World, verify: Verify) -> None:
    code, output = verify()

    assert (code, "nothing was changed" in output) == (0, True)
    assert f"1 objects in {BUCKET} (enabled)" in output


def test_a_changed_event_is_named_by_its_place(world: World, verify: Verify) -> None:
    view = world.view()
    world.put(msgspec.structs.replace(view, subject="case-of-somebody-else"))

    code, output = verify()

    assert code == 1
    assert f"{view.day_shard} 2: it or the one before it was changed" in output
    assert view.actor not in output


def test_a_row_that_is_no_event_any_more_is_named_and_the_others_are_checked(
    world: World, verify: Verify
) -> None:
    view, last = world.view(), world.view(is_last=True)
    item = to_audit_item(view)
    del item["previous"]
    world.dynamodb.put_item(TableName="audit_events", Item=item)
    world.put(msgspec.structs.replace(last, subject="case-of-somebody-else"))

    code, output = verify()

    assert code == 1
    assert f"{view.day_shard} {view.sequence}: no audit event: audit_events.previous: missing" in output
    assert f"{last.day_shard} {last.sequence}: not the event whose hash was kept" in output


def test_a_row_of_a_time_that_utc_does_not_have_ends_no_check(world: World, verify: Verify) -> None:
    view = world.view()
    item = to_audit_item(view) | {"at": {"S": "9999-12-31T23:59:59.000000-12:00"}}
    world.dynamodb.put_item(TableName="audit_events", Item=item)

    code, output = verify()

    assert (code, f"{view.day_shard} {view.sequence}: no audit event" in output) == (1, True)


def test_an_attribute_that_no_event_has_is_a_change(world: World, verify: Verify) -> None:
    view = world.view()
    item = to_audit_item(view) | {"note": {"S": "it was not me"}}
    world.dynamodb.put_item(TableName="audit_events", Item=item)

    code, output = verify()

    assert code == 1
    assert f"{view.day_shard} {view.sequence}: attributes that no event has so: note" in output
    assert "not me" not in output


def test_an_event_that_was_dropped_is_named(world: World, verify: Verify) -> None:
    view = world.view()
    world.drop(view)

    code, output = verify()

    assert (code, f"{view.day_shard} {view.sequence}: dropped" in output) == (1, True)


def test_an_event_that_was_inserted_is_named(world: World, verify: Verify) -> None:
    view = world.view()
    end = world.rows.chain(view.day_shard)[-1]
    world.put(msgspec.structs.replace(view, sequence=end.sequence + 1))

    code, output = verify()

    assert code == 1
    assert f"{view.day_shard} {end.sequence + 1}: inserted after the chain was closed" in output


def test_events_that_changed_places_are_named(world: World, verify: Verify) -> None:
    first = world.view()
    second = next(each for each in world.events() if each.day_shard != first.day_shard and each.sequence == 1)
    for event, place in ((first, second), (second, first)):
        world.put(msgspec.structs.replace(event, day_shard=place.day_shard, sequence=place.sequence))

    code, output = verify()

    assert code == 1
    assert first.day_shard in output
    assert second.day_shard in output


def test_a_tail_of_the_last_day_that_was_dropped_is_found(world: World, verify: Verify) -> None:
    last = world.view(is_last=True)
    world.drop(last)

    code, output = verify()

    assert (code, f"{last.day_shard} {last.sequence}: dropped from the end" in output) == (1, True)


def test_the_last_day_that_was_dropped_whole_is_found(world: World, verify: Verify) -> None:
    opening = world.rows.chain(DAYS)[-1]
    for event in world.events():
        if event == opening or event.day_shard.startswith(opening.day):
            world.drop(event)

    code, output = verify()

    assert code == 1
    assert f"{DAYS} {opening.sequence}: dropped from the end" in output
    assert f"{opening.day}#" in output


def test_a_history_that_somebody_with_every_right_on_the_table_wrote_anew_is_found(
    world: World, verify: Verify
) -> None:
    anew = relinked(world.rows, msgspec.structs.replace(world.view(), subject="case-of-somebody-else"))
    for name, sequence in anew.rows:
        event = anew.at(name, sequence)
        assert event is not None
        world.put(event)

    code, output = verify()

    assert code == 1
    assert "not the event whose hash was kept" in output
    assert "changed, inserted" not in output  # the table itself fits


def test_an_event_that_says_an_earlier_time_than_it_was_written_is_found(
    world: World, verify: Verify
) -> None:
    now = world.view(is_last=True).at
    write_hour(world.rows, now - timedelta(hours=3), views=1, subject="backdated")
    backdated = next(event for event in world.events() if event.subject == "backdated-0")
    world.put(backdated)

    code, output = verify()

    assert code == 1
    assert f"{backdated.day_shard} {backdated.sequence}: says" in output
    assert "and was written between" in output


def test_a_kept_object_that_was_deleted_is_found_and_its_heads_still_count(
    world: World, verify: Verify
) -> None:
    world.s3.delete_object(Bucket=BUCKET, Key=world.key)
    last = world.view(is_last=True)
    world.drop(last)

    code, output = verify()

    assert code == 1
    assert f"{world.key}: somebody deleted it; a version that was locked is still there" in output
    assert f"{last.day_shard} {last.sequence}: dropped from the end" in output


def test_a_kept_object_that_was_written_over_is_found_and_its_heads_still_count(
    world: World, verify: Verify
) -> None:
    last = world.view(is_last=True)
    world.drop(last)
    world.s3.put_object(Bucket=BUCKET, Key=world.key, Body=b"{}")

    code, output = verify()

    assert code == 1
    assert f"{world.key}: stored more than once" in output
    assert f"{last.day_shard} {last.sequence}: dropped from the end" in output


def test_events_whose_heads_were_never_kept_are_said_to_be_so(
    world: World, aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, verify: Verify
) -> None:
    aws("s3").create_bucket(Bucket="empty")
    place = audit_verify.Place(world.dynamodb, world.s3, "audit_events", "empty")
    monkeypatch.setattr(audit_verify, "_place", lambda _: place)

    code, output = verify()

    assert code == 1
    assert "no heads were ever kept" in output
    assert "the bucket has no Object Lock" in output


def test_heads_in_a_file_are_checked_too(world: World, tmp_path: Path, verify: Verify) -> None:
    heads = tmp_path / "heads.json"
    assert verify("--keep", str(heads))[0] == 0
    later = datetime.now(UTC)
    write_hour(world.rows, later, views=1, subject="later")
    world.put(world.view(is_last=True))

    code, output = verify("--heads", str(heads))

    assert (code, "nothing was changed" in output) == (0, True)


def test_what_cannot_be_read_is_no_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise NoRegionError

    monkeypatch.setattr(audit_verify, "_place", fail)

    assert audit_verify.main([]) == 2
    assert "region" in capsys.readouterr().err


def test_a_table_without_its_bucket_is_refused_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit_verify.main(["--table", "fraud-dev-audit_events"]) == 2

    assert "TABLE= and BUCKET= are given together" in capsys.readouterr().err
