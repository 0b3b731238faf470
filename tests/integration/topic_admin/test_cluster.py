"""The real admin client on a real broker, which asks for no sign-in, and the built zip's own token signer."""

from __future__ import annotations

import base64
import os
import subprocess
import time
import zipfile
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from ops.packaging.functions import build_zip
from ops.packaging.pythons import local_runtime
from topic_admin.cluster import KafkaTopics, client_config
from topic_admin.errors import KafkaRefusedError, PartitionsShrinkError
from topic_admin.settings import Settings
from topic_admin.stage import apply_request

if TYPE_CHECKING:
    from pathlib import Path

SETTLE_SECONDS = 30.0


@pytest.fixture
def topics(kafka_bootstrap: str) -> KafkaTopics:
    """The session's cluster."""
    return KafkaTopics(client_config(Settings(kafka_bootstrap, "PLAINTEXT"), "eu-central-1"))


def _request(name: str, partitions: int, **configs: str) -> dict[str, Any]:
    topic = {"name": name, "partitions": partitions, "replication_factor": 1, "configs": configs}
    return {"topics": [topic]}


def _hour(hours: int) -> dict[str, str]:
    return {"retention.ms": str(hours * 3_600_000)}


def _seen(topics: KafkaTopics, name: str) -> tuple[int, str, str]:
    existing = topics.describe(name)
    assert existing is not None
    return existing.partitions, existing.configs["retention.ms"], existing.configs["max.message.bytes"]


def test_a_topic_is_created_as_requested_and_a_second_run_changes_nothing(topics: KafkaTopics) -> None:
    first = apply_request(_request("admin-create", 3, **_hour(1)), topics)
    second = apply_request(_request("admin-create", 3, **_hour(1)), topics)

    existing = topics.describe("admin-create")
    assert existing is not None
    assert (existing.partitions, existing.replication_factor) == (3, 1)
    assert existing.configs["retention.ms"] == "3600000"
    assert first["topics"]["admin-create"]["created"] is True
    assert second["topics"]["admin-create"] == {"created": False, "partitions": 3, "configs_set": []}


def test_an_existing_topic_grows_and_keeps_configurations_that_are_not_named(topics: KafkaTopics) -> None:
    apply_request(_request("admin-grow", 2, **_hour(1), **{"max.message.bytes": "65536"}), topics)

    apply_request(_request("admin-grow", 5, **_hour(2)), topics)

    # The controller has accepted both changes; the broker that describes the topic learns of each a little later.
    deadline = time.monotonic() + SETTLE_SECONDS
    while _seen(topics, "admin-grow") != (5, "7200000", "65536"):
        assert time.monotonic() < deadline, _seen(topics, "admin-grow")
        time.sleep(0.05)


def test_fewer_partitions_are_refused_and_the_topic_is_unchanged(topics: KafkaTopics) -> None:
    apply_request(_request("admin-shrink", 4), topics)

    with pytest.raises(PartitionsShrinkError, match="topic admin-shrink: has 4 partitions"):
        apply_request(_request("admin-shrink", 2, **_hour(2)), topics)

    existing = topics.describe("admin-shrink")
    assert existing is not None
    assert existing.configs["retention.ms"] != "7200000"


def test_a_refusal_of_the_broker_names_the_topic(topics: KafkaTopics) -> None:
    with pytest.raises(KafkaRefusedError, match=r"topic admin-refused: .*no\.such\.setting"):
        apply_request(_request("admin-refused", 1, **{"no.such.setting": "1"}), topics)


def test_a_missing_topic_is_none(topics: KafkaTopics) -> None:
    assert topics.describe("admin-missing") is None


@pytest.fixture(scope="module")
def task_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The function's zip, built for this machine and unpacked as Lambda does."""
    root = tmp_path_factory.mktemp("topic_admin")
    with zipfile.ZipFile(build_zip("topic_admin")) as archive:
        archive.extractall(root)
    return root


def _run_in_zip(task_root: Path, program: str, **environment: str) -> Any:
    """Run a program with the zip's packages and nothing else of this environment; gives what it prints, decoded."""
    done = subprocess.run(
        [
            str(local_runtime()[0]),
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(task_root)!r})\n{program}",
        ],
        env={
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "POWERTOOLS_TRACE_DISABLED": "true",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout.strip().splitlines()[-1])


def test_the_built_function_creates_a_topic(task_root: Path, kafka_bootstrap: str) -> None:
    program = (
        "import json, types\n"
        "from topic_admin.handler import handler\n"
        "context = types.SimpleNamespace(function_name='f', memory_limit_in_mb=256,\n"
        "    invoked_function_arn='arn', aws_request_id='r', get_remaining_time_in_millis=lambda: 1000)\n"
        f"print(json.dumps(handler({_request('admin-built', 2)!r}, context)))"
    )

    response = _run_in_zip(
        task_root,
        program,
        KAFKA_BOOTSTRAP_SERVERS=kafka_bootstrap,
        KAFKA_SECURITY_PROTOCOL="PLAINTEXT",
        POWERTOOLS_SERVICE_NAME="topic_admin",
    )

    assert response == {"topics": {"admin-built": {"created": True, "partitions": 2, "configs_set": []}}}


def test_the_built_function_signs_a_token_for_the_cluster_of_its_region(task_root: Path) -> None:
    program = (
        "import json, time\nfrom topic_admin.cluster import iam_token\n"
        "token, expires_at = iam_token('eu-central-1')\n"
        "print(json.dumps([token, expires_at - time.time()]))"
    )

    token, lives_seconds = _run_in_zip(task_root, program)

    url = urlsplit(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
    assert url.hostname == "kafka.eu-central-1.amazonaws.com"
    assert parse_qs(url.query)["Action"] == ["kafka-cluster:Connect"]
    assert 0 < lives_seconds <= 900
