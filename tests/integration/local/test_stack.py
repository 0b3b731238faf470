"""The stack as people use it: up, status, env, down. After an error too, it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from local.process_tree import wait_until_gone
from local.stack import Stack, StackRunningError, StackState, read_state
from ops.manifests import ROOT, read_functions, read_tables
from tests.support.stack_commands import ENVIRONMENT, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVERS = ["kafka", "valkey", "aws-api"]


def up(build_dir: Path) -> subprocess.CompletedProcess[str]:
    return run("local.stack", "up", "--no-ingestion", "--functions", "", build_dir=build_dir)


def state_of(build_dir: Path) -> StackState:
    state = read_state(build_dir)
    assert state is not None
    return state


def processes_of(state: StackState) -> list[psutil.Process]:
    records = [state.owner, *state.processes]
    return [process for record in records if (process := record.find()) is not None]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Path]:
    """The build folder of a running stack: servers and resources, no function and no Glue job."""
    begun = up(tmp_path)
    assert begun.returncode == 0, begun.stderr
    yield tmp_path
    run("local.stack", "down", build_dir=tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The build folder of a running stack for tests that leave it as it is."""
    build_dir = tmp_path_factory.mktemp("shared")
    begun = up(build_dir)
    assert begun.returncode == 0, begun.stderr
    yield build_dir
    run("local.stack", "down", build_dir=build_dir)


def test_stack_that_is_up_is_healthy_and_counts_nothing_yet(shared: Path) -> None:
    status = run("local.status", build_dir=shared)

    assert status.returncode == 0, status.stdout + status.stderr
    assert [line.split()[:2] for line in status.stdout.splitlines()[:3]] == [
        [name, "healthy"] for name in SERVERS
    ]
    assert "published          0" in status.stdout


def test_up_of_a_stack_that_is_up_says_so_and_starts_nothing(shared: Path) -> None:
    before = state_of(shared)

    again = up(shared)

    assert again.returncode == 0
    assert "is already up" in again.stdout
    assert state_of(shared) == before


def test_exports_attach_any_kafka_redis_and_aws_client(shared: Path) -> None:
    client = """
import os, boto3, redis
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
print(sorted(boto3.client("dynamodb").list_tables()["TableNames"]))
print(redis.Redis.from_url(os.environ["ELASTICACHE_REDIS_ENDPOINT"]).ping())
print("transaction_stream" in AdminClient({"bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"]}).list_topics(timeout=30).topics)
print(boto3.client("sns").get_topic_attributes(TopicArn=os.environ["SNS_TOPIC_ARN"])["Attributes"]["SubscriptionsConfirmed"])
print(boto3.client("sqs").get_queue_attributes(QueueUrl=os.environ["QUARANTINE_QUEUE_URL"])["ResponseMetadata"]["HTTPStatusCode"])
"""
    script = 'eval "$("$0" -m local.env --build-dir "$1")" && exec "$0" -c "$2"'

    attached = subprocess.run(
        ["bash", "-c", script, sys.executable, str(shared), client],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": ENVIRONMENT["PYTHONPATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    tables, subscriptions = str(sorted(read_tables())), "2"  # of the inbox, and of the canary's queue
    assert attached.stdout.splitlines() == [tables, "True", "True", subscriptions, "200"], attached.stderr


def test_watch_without_a_terminal_prints_lines(shared: Path) -> None:
    command = [sys.executable, "-m", "local.watch", "--build-dir", str(shared)]
    with subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        first = watching.stdout.readline()
        watching.send_signal(signal.SIGINT)

    assert "published to Kafka 0" in first
    assert watching.returncode == 0


def test_second_stack_in_the_same_folder_is_refused_and_the_first_one_stays(shared: Path) -> None:
    with pytest.raises(StackRunningError), Stack(shared) as second:
        second.start(functions=[], ingestion=False)

    assert run("local.status", build_dir=shared).returncode == 0


def test_failure_half_way_leaves_nothing_and_touches_no_other_stack(shared: Path, tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    stack = Stack(tmp_path, ruleset=tmp_path / "missing.yaml")
    steps: list[str] = []

    with pytest.raises(FileNotFoundError, match=r"missing\.yaml"):
        stack.start(steps.append, functions=[], ingestion=False)

    assert "Kafka: ready" in steps
    assert [child for child in psutil.Process().children(recursive=True) if child not in before] == []
    assert read_state(tmp_path) is None
    assert not (tmp_path / "run").exists()
    assert run("local.status", build_dir=shared).returncode == 0


def test_up_that_fails_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    failed = run("local.stack", "up", "--no-ingestion", "--functions", "nonsense", build_dir=tmp_path)

    assert failed.returncode == 1
    triggered = [name for name, spec in read_functions().items() if spec.is_triggered]
    assert f"no such function: nonsense; there are {', '.join(triggered)}\n" in failed.stderr
    assert read_state(tmp_path) is None


def test_dead_components_are_reported_and_down_leaves_no_process(started: Path) -> None:
    state = state_of(started)
    everyone = processes_of(state)
    for record in state.processes:
        if record.name in {"valkey", "aws-api"}:
            os.kill(record.pid, signal.SIGKILL)

    status = run("local.status", build_dir=started)
    down = run("local.stack", "down", build_dir=started)

    assert status.returncode == 1
    parts = [line for line in status.stdout.splitlines() if "healthy" in line.lower()]
    assert [(line.split()[0], "NOT HEALTHY" in line) for line in parts] == list(
        zip(SERVERS, [False, True, True], strict=True)
    )
    assert "history rows       unknown" in status.stdout
    assert down.returncode == 0
    assert wait_until_gone(everyone, 0) == []
    assert not (started / "run").exists()
    assert run("local.status", build_dir=started).returncode == 1
    assert "valkey ended with exit code -9" in (started / "supervisor.log").read_text()


def test_everything_ends_with_an_owner_that_is_killed(started: Path) -> None:
    state = state_of(started)
    everyone = processes_of(state)

    os.kill(state.owner.pid, signal.SIGKILL)

    assert wait_until_gone(everyone, 30) == []
    assert read_state(started) is None
    down = run("local.stack", "down", build_dir=started)
    assert (down.returncode, down.stdout) == (0, "no stack ran; leftovers of an earlier one are removed\n")
    assert not (started / "stack.json").exists()


def test_ctrl_c_during_up_stops_what_was_started(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local.stack", "up", "--no-ingestion", "--functions", ""]
    with subprocess.Popen(
        [*command, "--build-dir", str(tmp_path)],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as starting:
        assert starting.stdout is not None
        while "ready" not in starting.stdout.readline():
            assert starting.poll() is None
        starting.send_signal(signal.SIGINT)
        _, said = starting.communicate(timeout=60)

    assert starting.returncode == 130
    assert "everything that was started is stopped" in said
    assert [process for process in psutil.process_iter() if mentions(process, tmp_path)] == []
    assert read_state(tmp_path) is None


def test_a_ruleset_cannot_be_deployed_to_a_stack_without_the_function_that_does_so(shared: Path) -> None:
    deployed = run("local.deploy_ruleset", "rules/default.yaml", build_dir=shared)

    assert deployed.returncode == 1
    assert "rules_validator.json" in deployed.stderr


def mentions(process: psutil.Process, build_dir: Path) -> bool:
    try:
        return any(str(build_dir) in argument for argument in process.cmdline())
    except psutil.Error:
        return False


def test_down_without_a_stack_is_no_error(tmp_path: Path) -> None:
    down = run("local.stack", "down", build_dir=tmp_path)

    assert (down.returncode, down.stdout) == (0, "no stack runs\n")


@pytest.mark.parametrize("command", ["local.status", "local.env", "local.watch"])
def test_commands_that_need_a_stack_say_that_there_is_none(tmp_path: Path, command: str) -> None:
    asked = run(command, build_dir=tmp_path)

    assert asked.returncode == 1
    assert asked.stdout == ""
    assert asked.stderr == f"no stack is up in {tmp_path}; `make up` starts one\n"
