"""A queue, its built function under Lambda's own runtime client, and its dead-letter queue on MiniStack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.event_sources.config import MappingConfig, read_status, status_file
from local.event_sources.process import MappingProcess
from local.provision import make_source_queue
from ops.manifests import QueueTrigger, read_function
from ops.moved_messages import move_messages
from ops.packaging.functions import build_zip
from tests.integration.event_sources.conftest import LAMBDA_PYTHON

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HANDLER = '''
"""Prints the bodies of each batch; fails the messages whose body begins with "bad"."""

import json


def handler(event, context):
    print(json.dumps({"got": [record["body"] for record in event["Records"]]}), flush=True)
    failed = [record["messageId"] for record in event["Records"] if record["body"].startswith("bad")]
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}
'''

FUNCTION = """
description: Test function.
packages: [reading]
handler: reading.handler.handler
runtime: python3.11
memory_mib: 128
timeout_seconds: 5
reserved_concurrency: 2
environment: {}
access: []
aws_services: []
trigger:
  type: queue
  queue: QUEUE
  batch_size: 10
  batch_window_seconds: 0
  maximum_concurrency: 2
  report_batch_item_failures: true
  maximum_receives: 2
"""


def test_good_messages_are_done_and_a_bad_one_is_dead_lettered_and_can_be_redriven(
    tmp_path: Path,
    aws_endpoint: str,
    aws_client: Callable[[str], Any],
    unique_name: Callable[[str], str],
    eventually: Callable[[Callable[[], object], str], None],
) -> None:
    folder, name = tmp_path / "functions" / "reading", unique_name("labels")
    folder.mkdir(parents=True)
    for file, text in (
        ("__init__.py", ""),
        ("handler.py", HANDLER),
        ("requirements.txt", ""),
        ("function.yaml", FUNCTION.replace("QUEUE", name)),
    ):
        (folder / file).write_text(text)
    sqs = aws_client("sqs")
    dead = unique_name("dead")
    dead_url = sqs.create_queue(QueueName=dead)["QueueUrl"]
    spec = read_function("reading", tmp_path / "functions")
    assert isinstance(spec.trigger, QueueTrigger)
    queue_url = make_source_queue(sqs, spec, spec.trigger, dead)
    config = MappingConfig(
        function="reading",
        bootstrap_servers="no Kafka here",
        aws_endpoint=aws_endpoint,
        region="us-east-1",
        account_id="000000000000",
        environment={},
        dead_letter_queue_url=dead_url,
        source_queue_url=queue_url,
        state_dir=tmp_path / "state",
        log_dir=tmp_path / "logs",
        zip=build_zip("reading", functions_dir=tmp_path / "functions", build_dir=tmp_path / "build"),
        lambda_python=LAMBDA_PYTHON,
        functions_dir=tmp_path / "functions",
        visibility_seconds=3,
    )
    bodies = [*(f"good {number}" for number in range(14)), "bad"]
    for body in bodies:
        sqs.send_message(QueueUrl=queue_url, MessageBody=body)

    process = MappingProcess(config, status_file(tmp_path / "reading.json", "reading"))
    process.mapping.start()
    process._state = "running"
    try:
        eventually(lambda: process.mapping.backlog() == 0, "an empty queue")
        process._write_status()
    finally:
        process.mapping.stop()
        process.pool.stop()

    log = (tmp_path / "logs" / "reading.log").read_text().splitlines()
    batches = [json.loads(line)["got"] for line in log if line.startswith('{"got"')]
    letters = sqs.receive_message(QueueUrl=dead_url, VisibilityTimeout=0)["Messages"]
    moved = move_messages(sqs, dead_url, queue_url)
    returned = sqs.receive_message(QueueUrl=queue_url)["Messages"]
    hidden = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["VisibilityTimeout"])
    for url in (queue_url, dead_url):
        sqs.delete_queue(QueueUrl=url)
    delivered = [body for batch in batches for body in batch]
    assert set(delivered) == set(bodies)
    assert delivered.count("bad") == 2
    assert max(map(len, batches)) <= 10
    assert [letter["Body"] for letter in letters] == ["bad"]
    assert moved == 1
    assert [message["Body"] for message in returned] == ["bad"]
    assert hidden["Attributes"]["VisibilityTimeout"] == "30"
    status = read_status(status_file(tmp_path / "reading.json", "reading"))
    assert status is not None
    assert status.idle
    assert status.counters.records == 14
    assert status.counters.partial_failures >= 2
