"""Rulesets through AppConfig's data plane: a first version, a new one, a bad one, and a lost session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from score.errors import NoRulesetError, RulesetUnreachableError
from score.rules_source import AppConfigDocument, Rulesets

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.errors import InvalidRulesetError

HEAD = "version: '{}'\nbase_currency: USD\nthresholds: {{review: 50, block: 80}}\n"


class Deployed:
    """An AppConfig profile of the test's own, and the rulesets that a function sees of it. Time is what the test says."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.application = client.create_application(Name=name)["Id"]
        self.environment = client.create_environment(ApplicationId=self.application, Name=name)["Id"]
        self.profile = client.create_configuration_profile(
            ApplicationId=self.application, Name=name, LocationUri="hosted"
        )["Id"]
        self._strategy = client.create_deployment_strategy(
            Name=name,
            DeploymentDurationInMinutes=0,
            GrowthFactor=100,
            FinalBakeTimeInMinutes=0,
            ReplicateTo="NONE",
        )["Id"]
        self.now = 0.0
        self.refused: list[InvalidRulesetError] = []
        self.became_active: list[str] = []
        self.fell_back: list[str] = []
        self.unreachable: list[RulesetUnreachableError] = []
        self.document = AppConfigDocument(
            application=name, environment=name, profile=name, max_age_seconds=15, monotonic=lambda: self.now
        )
        self.rulesets = Rulesets(
            self.document,
            lambda _sha256: None,
            source=self.document.source,
            fallbacks=(),
            on_active=lambda ruleset, _: self.became_active.append(ruleset.version),
            on_fallback=lambda ruleset: self.fell_back.append(ruleset.version),
            on_refused=self.refused.append,
            on_unreachable=self.unreachable.append,
            monotonic=lambda: self.now,
        )

    def deploy(self, text: str) -> None:
        version = self._client.create_hosted_configuration_version(
            ApplicationId=self.application,
            ConfigurationProfileId=self.profile,
            Content=text.encode(),
            ContentType="application/x-yaml",
        )["VersionNumber"]
        self._client.start_deployment(
            ApplicationId=self.application,
            EnvironmentId=self.environment,
            ConfigurationProfileId=self.profile,
            ConfigurationVersion=str(version),
            DeploymentStrategyId=self._strategy,
        )

    def remove(self) -> None:
        self._client.delete_application(ApplicationId=self.application)


@pytest.fixture
def deployed(
    aws_environment: dict[str, str], aws_client: Callable[[str], Any], unique_name: Callable[[str], str]
) -> Any:
    profile = Deployed(aws_client("appconfig"), unique_name("rules"))
    yield profile
    profile.remove()


def test_a_new_version_is_active_after_the_old_one_s_age_is_reached_and_not_before(
    deployed: Deployed,
) -> None:
    deployed.deploy(HEAD.format(1) + "rules: []")
    first = deployed.rulesets.current()
    deployed.deploy(HEAD.format(2) + "rules: []")

    assert deployed.rulesets.current() is first
    deployed.now = 15.0
    assert deployed.rulesets.current().version == "2"
    # AppConfig answers with nothing where nothing is new.
    deployed.now = 30.0
    assert deployed.rulesets.current().version == "2"
    assert (deployed.refused, deployed.unreachable) == ([], [])


def test_a_bad_version_leaves_the_old_one_active_until_a_good_one_is_deployed(deployed: Deployed) -> None:
    deployed.deploy(HEAD.format(1) + "rules: []")
    deployed.rulesets.current()

    deployed.deploy(HEAD.format(2) + "rules:\n  - {id: r, when: amuont > 1.0, points: 1, reason: r}")
    for deployed.now in (15.0, 30.0, 45.0):
        assert deployed.rulesets.current().version == "1"

    (error,) = deployed.refused
    assert str(error).startswith(f"{deployed.document.source}:5:19: rule 'r': when: unknown feature 'amuont'")
    deployed.deploy(HEAD.format(3) + "rules: []")
    deployed.now = 60.0
    assert deployed.rulesets.current().version == "3"


def test_nothing_deployed_is_no_ruleset_until_one_is_deployed(deployed: Deployed) -> None:
    with pytest.raises(NoRulesetError):
        deployed.rulesets.current()

    assert [error.problem for error in deployed.unreachable] == ["nothing is deployed"]
    deployed.deploy(HEAD.format(1) + "rules: []")
    assert deployed.rulesets.current().version == "1"


def test_a_session_whose_token_is_refused_is_replaced(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.deploy(HEAD.format(1) + "rules: []")
    deployed.rulesets.current()
    provider = deployed.document._provider
    assert provider is not None
    monkeypatch.setitem(provider._next_token, deployed.document._profile, "spent")

    deployed.now = 15.0
    assert deployed.rulesets.current().version == "1"
    deployed.deploy(HEAD.format(2) + "rules: []")
    deployed.now = 20.0

    assert deployed.rulesets.current().version == "2"
    assert len(deployed.unreachable) == 1


def test_an_unreachable_endpoint_leaves_the_old_one_active(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.deploy(HEAD.format(1) + "rules: []")
    deployed.rulesets.current()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    deployed.document._provider = None

    deployed.now = 15.0

    assert deployed.rulesets.current().version == "1"
    (error,) = deployed.unreachable
    assert error.source == deployed.document.source
    assert "127.0.0.1:9" in error.problem
