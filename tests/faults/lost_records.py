"""A mapping is switched off for 25 hours: its stream drops records that no stage has seen, and the reconciler repairs that."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from ops.manifests import StreamTrigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .site import Site

REPAIRED = {"persist": "flagged_rows_repaired", "alert": "alerts_repaired", "case": "cases_repaired"}


@contextmanager
def stream_lost(function: str, site: Site, _: int) -> Iterator[None]:
    """While the mapping is off, payments come; when it is on again, it begins behind the records that the stream has dropped."""
    mapping = site.mapping(function)
    mapping.process.stop()
    yield
    others = [one for one in site.mappings if one is not mapping]
    site.wait_for(
        lambda: all(one.idle_since_ms(0) is not None for one in others), "the other stages to be idle"
    )
    _drop_records(site, function)
    mapping.start()
    site.be_quiet()
    found = site.reconcile()
    assert found[REPAIRED[function]] > 0, found
    assert found["repairs_failed"] == found["hours_unchecked"] == 0, found
    site.be_quiet()


def _drop_records(site: Site, function: str) -> None:
    """Write a checkpoint behind the last record of each shard."""
    streams = site.client("dynamodbstreams")
    trigger = site.specs[function].trigger
    assert isinstance(trigger, StreamTrigger)
    table = site.resources.tables[trigger.table]
    stream_arn = site.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
    shards = {}
    for shard in streams.describe_stream(StreamArn=stream_arn)["StreamDescription"]["Shards"]:
        last = _last_record(streams, stream_arn, shard["ShardId"])
        if last is not None:
            shards[shard["ShardId"]] = {"sequence_number": last, "is_done": True}
    assert shards
    file = site.mapping(function).config.state_dir / f"{function}.checkpoints.json"
    file.write_bytes(msgspec.json.encode({"stream_arn": stream_arn, "shards": shards}))


def _last_record(streams: Any, stream_arn: str, shard: str) -> str | None:
    iterator = streams.get_shard_iterator(
        StreamArn=stream_arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    last = None
    while iterator:
        page = streams.get_records(ShardIterator=iterator)
        if not page["Records"]:
            break
        last = page["Records"][-1]["dynamodb"]["SequenceNumber"]
        iterator = page.get("NextShardIterator")
    return last
