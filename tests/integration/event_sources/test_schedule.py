"""A schedule, its built function under Lambda's own runtime client, and its dead-letter queue on MiniStack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.event_sources.config import MappingConfig, read_status, status_file
from local.event_sources.process import MappingProcess
from ops.packaging.functions import build_zip
from tests.integration.event_sources.conftest import LAMBDA_PYTHON

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HANDLER = '''
"""Prints each event; fails the first one."""

import json
import os


def handler(event, context):
    print(json.dumps({"got": event["id"]}), flush=True)
    try:
        os.close(os.open(os.environ["MARK"], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return None
    raise ValueError("the first one fails")
'''

FUNCTION = """
description: Test function.
packages: [ticking]
handler: ticking.handler.handler
runtime: python3.11
memory_mib: 128
timeout_seconds: 5
reserved_concurrency: 1
environment: {}
access: []
aws_services: []
trigger:
  type: schedule
  every_minutes: 1
  maximum_retries: 0
  maximum_event_age_seconds: 60
  on_failure: dead_letter
"""


def test_a_function_is_invoked_at_the_interval_and_an_event_that_fails_is_in_its_queue_whole(
    tmp_path: Path,
    aws_endpoint: str,
    aws_client: Callable[[str], Any],
    unique_name: Callable[[str], str],
    eventually: Callable[[Callable[[], object], str], None],
) -> None:
    folder = tmp_path / "functions" / "ticking"
    folder.mkdir(parents=True)
    for name, text in (
        ("__init__.py", ""),
        ("handler.py", HANDLER),
        ("requirements.txt", ""),
        ("function.yaml", FUNCTION),
    ):
        (folder / name).write_text(text)
    sqs = aws_client("sqs")
    queue_url = sqs.create_queue(QueueName=unique_name("dead"))["QueueUrl"]
    config = MappingConfig(
        function="ticking",
        bootstrap_servers="no Kafka here",
        aws_endpoint=aws_endpoint,
        region="us-east-1",
        account_id="000000000000",
        environment={"MARK": str(tmp_path / "mark")},
        dead_letter_queue_url=queue_url,
        state_dir=tmp_path / "state",
        log_dir=tmp_path / "logs",
        zip=build_zip("ticking", functions_dir=tmp_path / "functions", build_dir=tmp_path / "build"),
        lambda_python=LAMBDA_PYTHON,
        functions_dir=tmp_path / "functions",
        schedule_seconds=0.2,
    )

    process = MappingProcess(config, status_file(tmp_path / "ticking.json", "ticking"))
    process.mapping.start()
    try:
        eventually(lambda: process.mapping.counters.records >= 2, "two invocations that succeed")
        process._write_status()
    finally:
        process.mapping.stop()
        process.pool.stop()

    log = (tmp_path / "logs" / "ticking.log").read_text().splitlines()
    got = [json.loads(line)["got"] for line in log if line.startswith('{"got"')]
    (message,) = sqs.receive_message(QueueUrl=queue_url, MessageAttributeNames=["All"])["Messages"]
    sqs.delete_queue(QueueUrl=queue_url)
    assert len(set(got)) == len(got) >= 3
    assert json.loads(message["Body"])["id"] == got[0]
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "the first one fails"
    status = read_status(status_file(tmp_path / "ticking.json", "ticking"))
    assert status is not None
    assert status.counters.failures == status.counters.dead_lettered == 1
