"""Deploying a ruleset in AWS."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from ops import rules
from ops.errors import OpsError

WHERE = {"application_id": "a", "environment_id": "e", "profile_id": "p", "deployment_strategy_id": "s"}


class FakeAppConfig:
    def __init__(self, states: list[tuple[str, float]], refusal: str | None = None, why: str = "") -> None:
        self.states = states
        self.refusal = refusal
        self.why = why
        self.sent: dict[str, Any] = {}
        self.started: dict[str, Any] = {}

    def create_hosted_configuration_version(self, **sent: Any) -> dict[str, Any]:
        self.sent = sent
        return {"VersionNumber": 4}

    def start_deployment(self, **started: Any) -> dict[str, Any]:
        if self.refusal:
            raise ClientError(
                {"Error": {"Code": "BadRequestException", "Message": self.refusal}}, "StartDeployment"
            )
        self.started = started
        return {"DeploymentNumber": 9}

    def get_deployment(self, **asked: Any) -> dict[str, Any]:
        assert asked["DeploymentNumber"] == 9
        state, percent = self.states.pop(0)
        log = [{"Description": self.why}] if self.why else []
        return {"State": state, "PercentageComplete": percent, "EventLog": log}


def test_a_ruleset_is_sent_as_json_and_followed_until_it_is_active() -> None:
    appconfig = FakeAppConfig(
        [("DEPLOYING", 10.0), ("DEPLOYING", 10.0), ("BAKING", 100.0), ("COMPLETE", 100.0)]
    )
    reported: list[str] = []
    waited: list[float] = []

    version = rules.deploy(
        appconfig, WHERE, b"version: 1\nrules: [{id: a}]\n", report=reported.append, wait=waited.append
    )

    assert version == "4"
    assert msgspec.json.decode(appconfig.sent["Content"]) == {"version": 1, "rules": [{"id": "a"}]}
    assert appconfig.sent["ContentType"] == "application/json"
    assert appconfig.started["ConfigurationVersion"] == "4"
    assert reported == [
        "version 4: deploying, 10% of functions",
        "version 4: baking, 100% of functions",
        "version 4: complete, 100% of functions",
    ]
    assert len(waited) == 3


def test_what_a_validator_refuses_is_not_active() -> None:
    with pytest.raises(OpsError, match=r"AppConfig refuses the ruleset.*unknown feature"):
        rules.deploy(
            FakeAppConfig([], refusal="unknown feature"), WHERE, b"version: 1", report=lambda _: None
        )


def test_a_rollback_is_a_failure_with_its_reason() -> None:
    appconfig = FakeAppConfig(
        [("DEPLOYING", 50.0), ("ROLLING_BACK", 50.0), ("ROLLED_BACK", 0.0)], why="alarm blocked-rate"
    )

    with pytest.raises(
        OpsError, match=r"Version 4 is rolled back: alarm blocked-rate. The previous ruleset is still active."
    ):
        rules.deploy(appconfig, WHERE, b"version: 1", report=lambda _: None, wait=lambda _: None)


def test_an_environment_that_was_never_applied_has_no_ruleset() -> None:
    with pytest.raises(OpsError, match="dev has no ruleset yet; apply it first"):
        rules.place({}, "dev")
