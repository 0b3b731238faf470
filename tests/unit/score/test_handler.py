"""The Lambda's own decisions: when a try still fits, how clients retry, and when garbage is collected."""

from __future__ import annotations

import gc
import importlib
import json
import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools.metrics.provider.cold_start import reset_cold_start_flag

from ops.manifests import read_functions
from score.history_store import QUERIES_AHEAD
from tests.support.payments import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType


@pytest.fixture
def handler_module(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module at its cold start; what it does to garbage collection is undone."""
    for variable, value in read_functions()["score"].environment.items():
        monkeypatch.setenv(variable, value if isinstance(value, str) else value.ref.partition(".")[2])
    monkeypatch.setenv("ELASTICACHE_REDIS_ENDPOINT", "127.0.0.1:1")
    monkeypatch.setenv("CACHE_REPLICATION_GROUP", "")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    reset_cold_start_flag()  # type: ignore[no-untyped-call]  # Powertools types none
    monkeypatch.delitem(sys.modules, "score.handler", raising=False)
    monkeypatch.delitem(logging.Logger.manager.loggerDict, "score", raising=False)
    try:
        yield importlib.import_module("score.handler")
    finally:
        gc.enable()
        gc.unfreeze()
        sys.modules.pop("score.handler", None)


class Stage:
    """Keeps what it is asked for; can fail."""

    def __init__(self) -> None:
        self.has_time: list[bool] = []
        self.error: Exception | None = None

    def handle(self, event: Any, has_time: Callable[[], bool], function_arn: str) -> Any:
        assert function_arn == Context.invoked_function_arn
        self.has_time.append(has_time())
        if self.error is not None:
            raise self.error
        return {"batchItemFailures": [], "event": event}


@pytest.fixture
def stage(handler_module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage()
    monkeypatch.setattr(handler_module, "stage", made)
    return made


def test_the_answer_is_the_stage_s(handler_module: ModuleType, stage: Stage) -> None:
    assert handler_module.handler({"records": {}}, Context()) == {
        "batchItemFailures": [],
        "event": {"records": {}},
    }


@pytest.mark.parametrize(("remaining_ms", "has_time"), [(10_000, False), (10_001, True)])
def test_another_try_fits_while_more_than_ten_seconds_are_left(
    handler_module: ModuleType, stage: Stage, remaining_ms: int, has_time: bool
) -> None:
    handler_module.handler({}, Context(remaining_ms))

    assert stage.has_time == [has_time]


def test_garbage_is_collected_between_batches_and_fully_after_every_thousandth(
    handler_module: ModuleType, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected: list[int] = []
    assert not gc.isenabled()
    assert gc.get_freeze_count() > 0
    monkeypatch.setattr(handler_module.gc, "collect", collected.append)

    for _ in range(2001):
        handler_module.handler({}, Context())

    assert collected == [0] * 999 + [2] + [0] * 999 + [2] + [0]


def test_garbage_is_collected_after_a_batch_that_failed(
    handler_module: ModuleType, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected: list[int] = []
    monkeypatch.setattr(handler_module.gc, "collect", collected.append)
    stage.error = RuntimeError()

    with pytest.raises(RuntimeError):
        handler_module.handler({}, Context())

    assert collected == [0]


def test_clients_try_twice_within_seconds_and_validate_nothing(handler_module: ModuleType) -> None:
    config = handler_module.client_config

    assert config.retries == {"total_max_attempts": 2, "mode": "standard"}
    assert (config.connect_timeout, config.read_timeout, config.tcp_keepalive) == (2, 5, True)
    assert (config.max_pool_connections, config.parameter_validation) == (8, False)


def test_as_many_users_are_read_at_the_same_time_as_there_are_connections(handler_module: ModuleType) -> None:
    assert handler_module.client_config.max_pool_connections == QUERIES_AHEAD


def test_stores_are_those_of_the_settings(handler_module: ModuleType) -> None:
    assert handler_module.history._table == "transaction_history"
    assert handler_module.history._retention_s == 180 * 86_400
    assert handler_module.profiles._ttl_s == 90 * 86_400
    assert (handler_module.quarantine._queue_url, handler_module.quarantine._bucket) == (
        "quarantine",
        "quarantine",
    )
    assert handler_module.document.source == "appconfig:application/environment/profile"


def test_cold_start_is_emitted_under_the_stage_s_name(
    handler_module: ModuleType, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    handler_module.handler({}, Context())

    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["ColdStart"], line["service"]) == ([1.0], "score")
