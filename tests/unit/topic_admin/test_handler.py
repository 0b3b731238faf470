"""The Lambda: it applies the payload with retries, answers Terraform and logs what was done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ops.manifests import read_functions
from tests.support.cold_start import cold_start
from tests.support.payments import Context
from topic_admin import authorization_retry, cluster
from topic_admin.errors import KafkaUnauthorizedError

if TYPE_CHECKING:
    import pytest

    from topic_admin.planning import RequestedTopic


class Topics:
    """A cluster that refuses the first description."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.calls: list[str] = []

    def describe(self, name: str) -> None:
        self.calls.append("describe")
        if len(self.calls) == 1:
            raise KafkaUnauthorizedError(name, "not yet")

    def create(self, topic: RequestedTopic) -> None:
        self.calls.append("create")


def test_handler_creates_the_requested_topic_once_it_may_and_logs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable, value in read_functions()["topic_admin"].environment.items():
        monkeypatch.setenv(variable, value if isinstance(value, str) else "PLAINTEXT")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    monkeypatch.setattr(cluster, "KafkaTopics", Topics)
    monkeypatch.setattr(authorization_retry, "RETRY_INTERVAL_SECONDS", 0.0)
    module = cold_start("topic_admin", monkeypatch)
    request = {"topics": [{"name": "payments", "partitions": 2, "replication_factor": 1}]}

    response = module.handler(request, Context())

    assert response == {"topics": {"payments": {"created": True, "partitions": 2, "configs_set": []}}}
    assert module.topics.calls == ["describe", "describe", "create"]
    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["message"], line["topics"]) == ("topics are as requested", response["topics"])
