"""Abandoning an invocation ends the wait for it, and not the invocation."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from local.faults.control import Control
from local.faults.event_source_process import AbandoningPool
from local.runtime.invocation import InvocationResult
from local.runtime.pool import FunctionPool
from ops.manifests import read_functions

ANSWER = InvocationResult(request_id="r", payload=b"{}", error=None, duration_ms=1.0)


@pytest.fixture
def control(tmp_path: Path) -> Control:
    return Control(tmp_path / "host")


@pytest.fixture
def pool(control: Control, tmp_path: Path) -> AbandoningPool:
    spec = read_functions()["alert"]
    return AbandoningPool(
        "alert", spec, tmp_path, {}, 2, tmp_path, control=control, lambda_python=Path("python")
    )


def test_an_answer_is_returned_unchanged(pool: AbandoningPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FunctionPool, "invoke", lambda *_: ANSWER)

    assert pool.invoke(b"{}") is ANSWER


def test_an_abandoned_invocation_runs_on(
    pool: AbandoningPool, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end, has_begun, has_ended = threading.Event(), threading.Event(), threading.Event()

    def invoke(*_: object) -> InvocationResult:
        has_begun.set()
        may_end.wait()
        has_ended.set()
        return ANSWER

    monkeypatch.setattr(FunctionPool, "invoke", invoke)
    results: list[InvocationResult] = []
    caller = threading.Thread(target=lambda: results.append(pool.invoke(b"{}")))
    caller.start()
    has_begun.wait()

    control.abandon()
    caller.join()

    [result] = results
    assert result.error is not None
    assert result.error.type == "Sandbox.Timedout"
    assert not has_ended.is_set()
    assert control.abandoned == 1
    may_end.set()
    pool.wait_for_abandoned()
    assert has_ended.is_set()
    assert control.abandoned == 0
