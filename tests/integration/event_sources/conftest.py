"""A function whose records say what it does with them, and the configuration of its event source mapping."""

from __future__ import annotations

import itertools
import json
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from local.event_sources.config import MappingConfig, MappingStatus, read_status, write_config
from local.provision import make_dead_letter_bucket
from ops.manifests import ROOT
from ops.packaging.functions import build_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LAMBDA_PYTHON = ROOT / ".venv-lambda" / "bin" / "python"
WAIT_SECONDS = 60.0

HANDLER = '''
"""Does what each record says: nothing, "fail", "raise", "crash" or "sleep"; with "once" in it, only the first time."""

import base64
import json
import os
import time


def _orders(event):
    for origin, records in event.get("records", {}).items():
        for record in records:
            identifier = {"partition": origin, "offset": record["offset"]}
            yield f"{origin}/{record['offset']}", identifier, json.loads(base64.b64decode(record["value"]))
    for record in event.get("Records", []):
        image = record["dynamodb"]["NewImage"]
        order = json.loads(image["order"]["S"])
        yield order.get("label", image["id"]["S"]), record["dynamodb"]["SequenceNumber"], order


def _applies(name, order):
    if not order.get("once"):
        return True
    try:
        os.close(os.open(os.path.join(os.environ["MARKS"], name.replace("/", "-")), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def handler(event, context):
    failures = []
    names = []
    for name, identifier, order in _orders(event):
        names.append(name)
        do = order.get("do")
        if do and _applies(name, order):
            print(json.dumps({"delivered": names, "did": do}), flush=True)
            if do == "raise":
                raise ValueError(f"requested by {name}")
            if do == "crash":
                os._exit(9)
            if do == "sleep":
                time.sleep(60)
            failures.append({"itemIdentifier": identifier})
            break
    else:
        print(json.dumps({"delivered": names, "did": None}), flush=True)
    return {"batchItemFailures": failures}
'''

KAFKA = """
  type: kafka
  topic: {source}
  consumer_group: {source}-group
  pollers: {{minimum: 1, maximum: 4}}
"""
STREAM = """
  type: dynamodb_stream
  table: {source}
  parallelization_factor: {parallelization_factor}
"""
FUNCTION = """
description: Test function.
packages: [echo]
handler: echo.handler.handler
runtime: python3.11
memory_mib: 128
timeout_seconds: 1
reserved_concurrency: 4
environment: {{}}
access: []
aws_services: []
trigger:{trigger}
  starting_position: TRIM_HORIZON
  batch_size: {batch_size}
  batch_window_seconds: 0
  report_batch_item_failures: true
  bisect_on_error: true
  maximum_retries: {maximum_retries}
  maximum_record_age_seconds: 86400
  on_failure: {on_failure}
"""


@dataclass
class Function:
    """A built function, the configuration of its mapping, and what it has done so far."""

    config: MappingConfig
    config_file: Path
    dead_letters: Callable[[], list[dict[str, Any]]]
    _log: Path = field(init=False)

    def __post_init__(self) -> None:
        self._log = self.config.log_dir / "echo.log"

    def invocations(self) -> list[dict[str, Any]]:
        """What the function printed for each invocation, in order."""
        if not self._log.exists():
            return []
        lines = self._log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith('{"delivered"')]

    def taken(self) -> list[str]:
        """Names of the records of every invocation that failed none of them, in order."""
        return list(
            itertools.chain.from_iterable(each["delivered"] for each in self.invocations() if not each["did"])
        )

    def status(self) -> MappingStatus | None:
        """The latest status of the mapping's process."""
        return read_status(self.config_file.parent / "echo.status.json")


@pytest.fixture
def make_function(
    tmp_path: Path,
    kafka_bootstrap: str,
    aws_endpoint: str,
    aws_client: Callable[[str], Any],
    unique_name: Callable[[str], str],
) -> Iterator[Callable[..., Function]]:
    """Factory: build the function with a trigger on a topic or table; its queue is removed at the end."""
    sqs = aws_client("sqs")
    queue_url = sqs.create_queue(QueueName=unique_name("dead"))["QueueUrl"]
    bucket = unique_name("dead")
    make_dead_letter_bucket(aws_endpoint, bucket, queue_url)

    def dead_letters() -> list[dict[str, Any]]:
        messages = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]

    def make(
        trigger: str,
        source: str,
        *,
        batch_size: int = 10,
        maximum_retries: int = 2,
        parallelization_factor: int = 1,
        filter_pattern: dict[str, Any] | None = None,
        max_workers: int = 2,
    ) -> Function:
        text = FUNCTION.format(
            trigger=trigger.format(source=source, parallelization_factor=parallelization_factor),
            batch_size=batch_size,
            maximum_retries=maximum_retries,
            on_failure="dead_letter_bucket" if "dynamodb_stream" in trigger else "dead_letter",
        )
        if filter_pattern is not None:
            text += f"  filter: {json.dumps(filter_pattern)}\n"
        functions = write_function(tmp_path / "functions", text)
        marks = tmp_path / "marks"
        marks.mkdir()
        config = MappingConfig(
            function="echo",
            bootstrap_servers=kafka_bootstrap,
            aws_endpoint=aws_endpoint,
            region="us-east-1",
            account_id="000000000000",
            environment={"MARKS": str(marks)},
            dead_letter_queue_url=queue_url,
            dead_letter_bucket=bucket,
            state_dir=tmp_path / "state",
            log_dir=tmp_path / "logs",
            zip=build_zip("echo", functions_dir=functions, build_dir=tmp_path / "build"),
            lambda_python=LAMBDA_PYTHON,
            functions_dir=functions,
            max_workers=max_workers,
            retry_base_seconds=0.02,
            retry_maximum_seconds=0.1,
        )
        config_file = tmp_path / "run" / "echo.json"
        write_config(config_file, config)
        return Function(config, config_file, dead_letters)

    yield make
    sqs.delete_queue(QueueUrl=queue_url)


def write_function(functions: Path, function_yaml: str) -> Path:
    """Write the function's folder; returns the folder of functions."""
    (functions / "echo").mkdir(parents=True)
    (functions / "echo" / "__init__.py").touch()
    (functions / "echo" / "handler.py").write_text(HANDLER)
    (functions / "echo" / "requirements.txt").touch()
    (functions / "echo" / "function.yaml").write_text(function_yaml)
    return functions


@pytest.fixture
def command() -> Callable[[Function], list[str]]:
    """Factory: the command line of a mapping's process, as the stack starts it."""
    return lambda function: [
        *(sys.executable, "-m", "local.event_sources"),
        *("--function", "echo", "--config", str(function.config_file)),
    ]


@pytest.fixture
def eventually() -> Callable[[Callable[[], object], str], None]:
    """Wait until a condition holds; fails with what was waited for if it does not."""

    def wait(holds: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"not within {WAIT_SECONDS:.0f} s: {what}"
            time.sleep(0.02)

    return wait
