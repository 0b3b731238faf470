"""A function's pool of workers, as real processes under Lambda's own runtime client."""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from local.runtime.invocation import MAX_PAYLOAD_BYTES
from local.runtime.package import unpack
from local.runtime.pool import FunctionPool, PoolStoppedError
from ops.manifests import ROOT, read_functions
from ops.packaging.functions import build_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HANDLER = '''
"""Does what the event says."""

import os
import subprocess
import sys
import threading
import time


def handler(event, context):
    do = event.get("do")
    if do == "raise":
        raise ValueError("on request")
    if do == "exit":
        os._exit(3)
    if do == "sleep":
        print("sleeping", flush=True)
        time.sleep(60)
    if do == "meet":
        # Two of these at a time, or neither returns.
        open(os.path.join(event["folder"], str(os.getpid())), "w").close()
        while len(os.listdir(event["folder"])) < 2:
            time.sleep(0.01)
    if do == "large":
        return "x" * event["size"]
    if do == "child":
        return subprocess.Popen(["sleep", "600"]).pid
    if do == "environment":
        return dict(os.environ)
    print(f"line of {os.getpid()}")
    return {
        "pid": os.getpid(),
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "left_ms": context.get_remaining_time_in_millis(),
        "memory": context.memory_limit_in_mb,
        "path": sys.path,
    }
'''
FUNCTION = """
description: Test function.
packages: [echo]
handler: echo.{module}.handler
runtime: python3.11
memory_mib: 256
timeout_seconds: 1
reserved_concurrency: 4
environment: {{}}
access: []
aws_services: []
trigger:
  type: dynamodb_stream
  table: none
  starting_position: TRIM_HORIZON
  batch_size: 1
  batch_window_seconds: 0
  parallelization_factor: 1
  report_batch_item_failures: true
  bisect_on_error: true
  maximum_retries: 0
  maximum_record_age_seconds: 60
  on_failure: dead_letter_bucket
"""


@pytest.fixture
def make_pool(tmp_path: Path) -> Iterator[Callable[..., FunctionPool]]:
    """Factory: build the function and make its pool; it is stopped at the end."""
    pools: list[FunctionPool] = []

    def make(max_workers: int = 1, module: str = "handler", **environment: str) -> FunctionPool:
        functions = tmp_path / "functions"
        (functions / "echo").mkdir(parents=True)
        (functions / "echo" / "__init__.py").touch()
        (functions / "echo" / "handler.py").write_text(HANDLER)
        (functions / "echo" / "broken.py").write_text("import no_such_package\n")
        (functions / "echo" / "requirements.txt").touch()
        (functions / "echo" / "function.yaml").write_text(FUNCTION.format(module=module))
        package = build_zip("echo", functions_dir=functions, build_dir=tmp_path / "build")
        pool = FunctionPool(
            "echo",
            read_functions(functions)["echo"],
            unpack(package, tmp_path / "run"),
            environment,
            max_workers,
            tmp_path / "logs",
            lambda_python=ROOT / ".venv-lambda" / "bin" / "python",
        )
        pools.append(pool)
        return pool

    yield make
    for pool in pools:
        pool.stop()


def _invoke(pool: FunctionPool, **event: Any) -> Any:
    result = pool.invoke(event)
    assert result.error is None
    return json.loads(result.payload)


def test_a_warm_worker_is_used_again(make_pool: Callable[..., FunctionPool]) -> None:
    pool = make_pool(max_workers=3)

    first, second = pool.invoke({}), pool.invoke({})

    assert json.loads(first.payload)["pid"] == json.loads(second.payload)["pid"]
    assert first.init_duration_ms is not None
    assert second.init_duration_ms is None
    assert pool.workers == 1


def test_the_context_is_that_of_lambda(make_pool: Callable[..., FunctionPool]) -> None:
    pool = make_pool()

    result = pool.invoke({})

    answer = json.loads(result.payload)
    assert answer["request_id"] == result.request_id
    assert answer["arn"] == pool.function_arn
    assert 0 < answer["left_ms"] <= 1000
    assert answer["memory"] == "256"


def test_as_many_workers_run_at_a_time_as_there_are_invocations(
    make_pool: Callable[..., FunctionPool], tmp_path: Path
) -> None:
    pool = make_pool(max_workers=2)
    folder = tmp_path / "meeting"
    folder.mkdir()

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda _: _invoke(pool, do="meet", folder=str(folder)), range(2)))

    assert len({answer["pid"] for answer in answers}) == 2


def test_more_invocations_than_workers_wait_for_their_turn(make_pool: Callable[..., FunctionPool]) -> None:
    pool = make_pool(max_workers=1)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: _invoke(pool), range(20)))

    assert len({answer["pid"] for answer in answers}) == 1
    assert len({answer["request_id"] for answer in answers}) == 20


def test_an_exception_is_an_error_and_the_worker_stays(make_pool: Callable[..., FunctionPool]) -> None:
    pool = make_pool()
    pid = _invoke(pool)["pid"]

    result = pool.invoke({"do": "raise"})

    assert result.error is not None
    assert (result.error.type, result.error.message) == ("ValueError", "on request")
    assert json.loads(result.payload)["stackTrace"]
    assert _invoke(pool)["pid"] == pid


def test_a_worker_that_exits_is_an_error_and_is_replaced(make_pool: Callable[..., FunctionPool]) -> None:
    pool = make_pool()

    result = pool.invoke({"do": "exit"})

    assert result.error is not None
    assert result.error.type == "Runtime.ExitError"
    assert result.error.message.endswith("Error: Runtime exited with error: exit status 3")
    assert _invoke(pool)["pid"]


def test_a_worker_that_is_killed_while_idle_is_replaced_without_an_error(
    make_pool: Callable[..., FunctionPool],
) -> None:
    pool = make_pool()
    pid = _invoke(pool)["pid"]
    process = psutil.Process(pid)

    os.kill(pid, signal.SIGKILL)
    process.wait(30)
    answers = [pool.invoke({}) for _ in range(2)]

    # Lambda too may notice only by the next invocation; the one after it must be well.
    assert answers[1].error is None
    assert json.loads(answers[1].payload)["pid"] != pid


def test_a_function_that_takes_too_long_is_stopped(make_pool: Callable[..., FunctionPool]) -> None:
    """Lambda: "Task timed out after 1.00 seconds"; the environment is discarded."""
    pool = make_pool()
    pid = _invoke(pool)["pid"]

    result = pool.invoke({"do": "sleep"})

    assert result.error is not None
    assert result.error.type == "Sandbox.Timedout"
    assert result.error.message.endswith("Error: Task timed out after 1.00 seconds")
    assert not psutil.pid_exists(pid)
    assert _invoke(pool)["pid"] != pid


def test_what_a_function_started_ends_with_its_worker(make_pool: Callable[..., FunctionPool]) -> None:
    pool = make_pool()
    child = psutil.Process(_invoke(pool, do="child"))

    pool.stop()

    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_function_that_cannot_be_imported_says_why(make_pool: Callable[..., FunctionPool]) -> None:
    pool = make_pool(module="broken")

    result = pool.invoke({})

    assert result.error is not None
    assert result.error.type == "Runtime.ImportModuleError"
    assert "no_such_package" in result.error.message
    assert pool.workers == 0


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ({"do": "large", "size": MAX_PAYLOAD_BYTES}, "Function.ResponseSizeTooLarge"),
        ({"pad": "x" * MAX_PAYLOAD_BYTES}, "RequestEntityTooLargeException"),
    ],
)
def test_a_payload_over_6_mb_is_an_error(
    event: dict[str, Any], problem: str, make_pool: Callable[..., FunctionPool]
) -> None:
    """Lambda quotas: 6 MB each for request and response of a synchronous invocation."""
    pool = make_pool()

    result = pool.invoke(event)

    assert result.error is not None
    assert result.error.type == problem
    assert _invoke(pool)["pid"]


def test_a_function_sees_its_environment_and_nothing_of_ours(
    make_pool: Callable[..., FunctionPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "AWS_PROFILE", "PYTHONWARNINGS"):
        monkeypatch.setenv(name, "ours")
    pool = make_pool(TABLE="t", AWS_REGION="eu-central-1")

    environment = _invoke(pool, do="environment")

    assert environment["TABLE"] == "t"
    assert environment["AWS_REGION"] == "eu-central-1"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "echo"
    assert "ours" not in environment.values()


def test_a_function_imports_from_its_zip_and_from_the_runtime_only(
    make_pool: Callable[..., FunctionPool],
) -> None:
    pool = make_pool()

    paths = [path for path in _invoke(pool)["path"] if "site-packages" in path or str(ROOT) in path]

    assert [path for path in paths if ".venv-lambda" not in path] == []


def test_lines_of_several_workers_stay_whole_in_the_log(
    make_pool: Callable[..., FunctionPool], tmp_path: Path
) -> None:
    pool = make_pool(max_workers=3)

    with ThreadPoolExecutor(3) as threads:
        pids = [answer["pid"] for answer in threads.map(lambda _: _invoke(pool), range(60))]
    pool.stop()

    lines = (tmp_path / "logs" / "echo.log").read_text().splitlines()
    assert sorted(lines) == sorted(f"line of {pid}" for pid in pids)


def test_a_stopped_pool_runs_nothing_and_ends_what_it_ran(make_pool: Callable[..., FunctionPool]) -> None:
    pool = make_pool()
    pid = _invoke(pool)["pid"]

    pool.stop()

    assert not psutil.pid_exists(pid)
    with pytest.raises(PoolStoppedError, match="echo is stopped"):
        pool.invoke({})
