"""The Lambda as deployed: it reads function.yaml's environment, and deploys an approved change at an event of the schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3

from contract.ruleset_change import ChangeState
from tests.support.cold_start import cold_start, declare_environment, emitted
from tests.support.deployer_world import SECOND, DeployerWorld
from tests.support.payments import Context
from tests.support.ruleset_world import BUCKET

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

EVENT = {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}


def test_handler_deploys_what_was_approved_and_emits_its_metrics(
    aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = DeployerWorld(aws("dynamodb"), aws("s3"))
    change = world.approved(document=SECOND)
    declare_environment("ruleset_deployer", monkeypatch)
    for variable, value in (("APPLICATION", "a"), ("ENVIRONMENT", "e"), ("BUCKET", BUCKET)):
        monkeypatch.setenv(f"RULES_{variable}", value)
    made = boto3.client
    monkeypatch.setattr(
        boto3, "client", lambda name, **other: world.appconfig if name == "appconfig" else made(name, **other)
    )

    sentence = cold_start("ruleset_deployer", monkeypatch).handler(EVENT, Context())

    assert sentence == "Of 1 approved changes 0 are still to be deployed."
    assert world.stored(change).state is ChangeState.DEPLOYED
    assert world.appconfig.active == SECOND.encode()
    lines = emitted(capsys)
    assert (lines["RulesetChangesDeployed"], lines["OldestRulesetChangeSeconds"]) == ([1.0], [0.0])
