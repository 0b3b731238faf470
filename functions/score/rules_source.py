"""Where the ruleset in force comes from, and what happens when a new one is bad or cannot be had.

The last good ruleset stays in force, whatever the place it is kept in says or fails to say. What went wrong is told to the
owner through two callbacks, which make metrics of it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.utilities.parameters import AppConfigProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.config import Config

from engine.errors import InvalidRulesetError
from engine.rules.check import check_ruleset
from score.errors import NoRulesetError, RulesetUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.rules.ruleset import Ruleset

MIN_POLL_SECONDS: Final = 15
"""The shortest interval at which AppConfig may be asked. Unless a session asks for it when it starts, AppConfig holds it to
60 s and answers earlier calls with an error."""

# A batch waits for this call, so it may not take long; the old ruleset is there to go on with.
_CLIENT_CONFIG: Final = Config(
    connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2, "mode": "standard"}
)


class Rulesets:
    """The ruleset in force.

    Parameters
    ----------
    load : Callable[[], bytes]
        Gives the newest document; called once per :meth:`current`, so it does its own caching. Raises
        :class:`RulesetUnreachableError` where it cannot be had.
    source : str
        What the document is called in messages.
    on_refused : Callable[[InvalidRulesetError], None]
        Called once for each bad document, when it is first seen.
    on_unreachable : Callable[[RulesetUnreachableError], None]
        Called once for each attempt that failed.
    retry_seconds : float
        How long `load` is left alone after it failed, so that a place that hangs does not cost every batch a timeout. A
        failure before the first ruleset is tried again at once: there is nothing to go on with.
    monotonic : Callable[[], float]
        A clock that never runs backwards, in seconds.
    """

    def __init__(
        self,
        load: Callable[[], bytes],
        *,
        source: str,
        on_refused: Callable[[InvalidRulesetError], None],
        on_unreachable: Callable[[RulesetUnreachableError], None],
        retry_seconds: float = 5.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._source = source
        self._on_refused = on_refused
        self._on_unreachable = on_unreachable
        self._retry_seconds = retry_seconds
        self._monotonic = monotonic
        self._in_force: Ruleset | None = None
        self._seen: bytes | None = None
        self._refused: InvalidRulesetError | None = None
        self._retry_at = float("-inf")

    @property
    def refused(self) -> InvalidRulesetError | None:
        """What is wrong with the newest document; None while the newest is the one in force. For a gauge."""
        return self._refused

    def current(self) -> Ruleset:
        """Give the ruleset in force, after a look at whether there is a newer one.

        Returns
        -------
        Ruleset
            The newest document where it is good; otherwise the last good one.

        Raises
        ------
        NoRulesetError
            Where no good one has been seen since the start.
        """
        data = self._newest()
        if data is not None and data != self._seen:
            self._take(data)
        if self._in_force is None:
            raise NoRulesetError(
                f"{self._source}: no ruleset in force: "
                f"{'the document is refused' if self._refused else 'the document cannot be had'}"
            ) from self._refused
        return self._in_force

    def _newest(self) -> bytes | None:
        if self._in_force is not None and self._monotonic() < self._retry_at:
            return None
        try:
            return self._load()
        except RulesetUnreachableError as error:
            self._retry_at = self._monotonic() + self._retry_seconds
            self._on_unreachable(error)
            return None

    def _take(self, data: bytes) -> None:
        try:
            self._in_force = check_ruleset(data, self._source)
            self._refused = None
        except InvalidRulesetError as error:
            self._refused = error
            self._on_refused(error)
        self._seen = data  # a bad document, too, is read only once


class AppConfigDocument:
    """The newest deployed document of an AppConfig profile, fetched through Powertools.

    Parameters
    ----------
    application, environment, profile : str
        Names or ids in AppConfig.
    max_age_seconds : int
        How long a fetched document is used before AppConfig is asked again; at least `MIN_POLL_SECONDS`.
    monotonic : Callable[[], float]
        A clock that never runs backwards, in seconds. The provider's own cache goes by local time, which does.
    """

    def __init__(
        self,
        *,
        application: str,
        environment: str,
        profile: str,
        max_age_seconds: int = MIN_POLL_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if max_age_seconds < MIN_POLL_SECONDS:
            raise ValueError(f"max_age_seconds is {max_age_seconds}; at least {MIN_POLL_SECONDS}")
        self._application = application
        self._environment = environment
        self._profile = profile
        self._max_age_seconds = max_age_seconds
        self._monotonic = monotonic
        self._provider: AppConfigProvider | None = None
        self._document = b""
        self._fresh_until = float("-inf")

    @property
    def source(self) -> str:
        """What the document is called in messages."""
        return f"appconfig:{self._application}/{self._environment}/{self._profile}"

    def __call__(self) -> bytes:
        """Give the newest document.

        Returns
        -------
        bytes
            As deployed.

        Raises
        ------
        RulesetUnreachableError
            Where AppConfig cannot be reached, or has nothing deployed there.
        """
        if self._monotonic() < self._fresh_until:
            return self._document
        if self._provider is None:
            self._provider = AppConfigProvider(
                environment=self._environment, application=self._application, boto_config=_CLIENT_CONFIG
            )
        try:
            document = self._provider.get(
                self._profile, force_fetch=True, RequiredMinimumPollIntervalInSeconds=MIN_POLL_SECONDS
            )
        except GetParameterError as error:
            # The provider keeps its session's token whatever happens. A token is good for one call within 24 h: one that was
            # spent on an answer that never arrived, or is too old, would be refused for ever. A new provider starts anew.
            self._provider = None
            raise RulesetUnreachableError(self.source, _explained(error)) from error
        if not isinstance(document, bytes):
            raise RulesetUnreachableError(self.source, f"gave {type(document).__name__}, not bytes")
        self._document = document
        self._fresh_until = self._monotonic() + self._max_age_seconds
        return document


def _explained(error: GetParameterError) -> str:
    # An empty first answer, nothing deployed yet, comes out of the provider as the KeyError of its own cache.
    if isinstance(error.__context__, KeyError):
        return "nothing is deployed"
    return str(error)
