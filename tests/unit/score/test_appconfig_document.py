"""The document in AppConfig: when it is fetched, how often, and what is said of a failure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from score import rules_source
from score.errors import RulesetUnreachableError
from score.rules_source import MIN_POLL_SECONDS, AppConfigDocument


@dataclass
class Provider:
    """Powertools' provider: keeps what it is asked, and gives ``answer`` or raises it."""

    settings: dict[str, Any]
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answer: Any = b"document"

    def get(self, name: str, **options: Any) -> Any:
        self.asked.append((name, options))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@dataclass
class AppConfig:
    """A document of AppConfig, the providers that it makes, and its clock."""

    now: float = 50.0
    providers: list[Provider] = field(default_factory=list)

    def provider(self, **settings: Any) -> Provider:
        self.providers.append(Provider(settings))
        return self.providers[-1]

    def document(self, **options: Any) -> AppConfigDocument:
        return AppConfigDocument(
            application="a", environment="e", profile="p", monotonic=lambda: self.now, **options
        )


@pytest.fixture
def appconfig(monkeypatch: pytest.MonkeyPatch) -> AppConfig:
    made = AppConfig()
    monkeypatch.setattr(rules_source, "AppConfigProvider", made.provider)
    return made


def test_appconfig_is_asked_for_the_profile_at_its_shortest_interval(appconfig: AppConfig) -> None:
    assert appconfig.document()() == b"document"

    [provider] = appconfig.providers
    assert provider.asked == [("p", {"force_fetch": True, "RequiredMinimumPollIntervalInSeconds": 15})]
    assert (provider.settings["environment"], provider.settings["application"]) == ("e", "a")


def test_appconfig_is_tried_twice_within_seconds(appconfig: AppConfig) -> None:
    appconfig.document()()

    config = appconfig.providers[0].settings["boto_config"]
    assert (config.connect_timeout, config.read_timeout) == (2, 3)
    assert config.retries == {"total_max_attempts": 2, "mode": "standard"}


@pytest.mark.parametrize(("options", "seconds"), [({}, 15.0), ({"max_age_seconds": 20}, 20.0)])
def test_a_document_is_used_until_its_age_is_reached(
    appconfig: AppConfig, options: dict[str, int], seconds: float
) -> None:
    document = appconfig.document(**options)
    document()
    [provider] = appconfig.providers
    provider.answer = b"newer"

    appconfig.now = 50.0 + seconds - 0.01
    assert document() == b"document"
    appconfig.now = 50.0 + seconds
    assert document() == b"newer"

    assert len(provider.asked) == 2


def test_a_failed_request_starts_a_new_session_and_says_why(appconfig: AppConfig) -> None:
    document = appconfig.document()
    document()
    appconfig.now += 15
    appconfig.providers[0].answer = GetParameterError("timed out")

    with pytest.raises(RulesetUnreachableError, match=r"^appconfig:a/e/p: timed out$"):
        document()
    assert document() == b"document"

    assert len(appconfig.providers) == 2


def test_an_empty_profile_is_reported_as_nothing_deployed(appconfig: AppConfig) -> None:
    document = appconfig.document()
    error = GetParameterError("'p'")
    error.__context__ = KeyError("p")
    document()
    appconfig.now += 15
    appconfig.providers[0].answer = error

    with pytest.raises(RulesetUnreachableError) as failure:
        document()

    assert (failure.value.source, failure.value.problem) == ("appconfig:a/e/p", "nothing is deployed")


def test_a_document_that_is_not_bytes_is_refused(appconfig: AppConfig) -> None:
    document = appconfig.document()
    document()
    appconfig.now += 15
    appconfig.providers[0].answer = {"parsed": True}

    with pytest.raises(RulesetUnreachableError, match="returned dict, not bytes"):
        document()


def test_the_shortest_age_of_a_document_is_appconfig_s_shortest_interval() -> None:
    assert MIN_POLL_SECONDS == 15
    AppConfigDocument(application="a", environment="e", profile="p", max_age_seconds=15)


def test_appconfig_is_not_polled_more_often_than_it_allows() -> None:
    with pytest.raises(ValueError, match="max_age_seconds is 14; at least 15"):
        AppConfigDocument(application="a", environment="e", profile="p", max_age_seconds=MIN_POLL_SECONDS - 1)
