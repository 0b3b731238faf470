"""Where the active ruleset comes from, and what happens when a new one is bad or cannot be fetched.

The last good ruleset stays active while its source returns a bad one or none. A process that starts then has none: it takes the one
that was active last anywhere, or else the default. Callbacks report what went wrong; the stage makes metrics of it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.utilities.parameters import AppConfigProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.config import Config

from common.model_archive import ModelUnreachableError
from engine.errors import InvalidRulesetError
from engine.rules.check import check_ruleset
from score.errors import NoRulesetError, RulesetUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.rules.ruleset import Ruleset

MIN_POLL_SECONDS: Final = 15
"""The shortest poll interval that AppConfig allows. A session must request it when it starts; otherwise the interval is 60 s,
and AppConfig answers earlier calls with an error."""

# A batch waits for this call, so it must be short; the old ruleset can be used meanwhile.
_CLIENT_CONFIG: Final = Config(
    connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2, "mode": "standard"}
)


class Rulesets:
    """The active ruleset.

    Parameters
    ----------
    load : Callable[[], bytes]
        Gives the newest document. Called once per :meth:`current`, so it does its own caching. Raises
        :class:`RulesetUnreachableError` where the document cannot be fetched.
    models : Callable[[str], bytes | None]
        Gives the document of the model that a ruleset names, by its sha256; None where there is none. Raises
        :class:`ModelUnreachableError` where it cannot be fetched.
    source : str
        Name of the document in messages.
    fallbacks : Sequence[Callable[[], bytes | None]]
        Give a document for a process that has had none from its source, in this order; None where there is none.
    on_active : Callable[[Ruleset, bytes], None]
        Called with each ruleset that the source gave and that becomes active.
    on_fallback : Callable[[Ruleset], None]
        Called for each batch that is decided by a fallback.
    on_refused : Callable[[InvalidRulesetError], None]
        Called once for each bad document.
    on_unreachable : Callable[[RulesetUnreachableError], None]
        Called once for each attempt that failed.
    retry_seconds : float
        How long `load` is not called after it failed, so that a source that hangs does not cost every batch a timeout.
        Without any ruleset, not even a fallback, it is called for every batch.
    monotonic : Callable[[], float]
        A clock that never runs backwards, in seconds.
    """

    def __init__(
        self,
        load: Callable[[], bytes],
        models: Callable[[str], bytes | None],
        *,
        source: str,
        fallbacks: Sequence[Callable[[], bytes | None]],
        on_active: Callable[[Ruleset, bytes], None],
        on_fallback: Callable[[Ruleset], None],
        on_refused: Callable[[InvalidRulesetError], None],
        on_unreachable: Callable[[RulesetUnreachableError], None],
        retry_seconds: float = 5.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._models = models
        self._source = source
        self._fallbacks = fallbacks
        self._on_active = on_active
        self._on_fallback = on_fallback
        self._on_refused = on_refused
        self._on_unreachable = on_unreachable
        self._retry_seconds = retry_seconds
        self._monotonic = monotonic
        self._active: Ruleset | None = None
        self._is_fallback = False
        self._last_read: bytes | None = None
        self._refused: InvalidRulesetError | None = None
        self._retry_at = float("-inf")

    @property
    def refused(self) -> InvalidRulesetError | None:
        """What is wrong with the newest document; None while the newest one is active."""
        return self._refused

    def current(self) -> Ruleset:
        """Give the active ruleset, after checking for a newer one.

        Returns
        -------
        Ruleset
            The newest document where it is good; otherwise the last good one, of this process or of any.

        Raises
        ------
        NoRulesetError
            Where there is none, nor a fallback.
        """
        data = self._newest()
        if data is not None and data != self._last_read:
            self._read(data)
        if self._active is None:
            self._active = self._fallback()
            self._is_fallback = self._active is not None
        if self._active is None:
            raise NoRulesetError(
                f"{self._source}: no active ruleset: "
                f"{'the document is refused' if self._refused else 'the document cannot be fetched'}"
            ) from self._refused
        if self._is_fallback:
            self._on_fallback(self._active)
        return self._active

    def _fallback(self) -> Ruleset | None:
        for give in self._fallbacks:
            data = give()
            if data is None:
                continue
            try:
                return check_ruleset(data, "fallback", self._models)
            except InvalidRulesetError as error:
                self._on_refused(error)
            except ModelUnreachableError as error:
                self._on_unreachable(RulesetUnreachableError("fallback", str(error)))
        return None

    def _newest(self) -> bytes | None:
        if self._active is not None and self._monotonic() < self._retry_at:
            return None
        try:
            return self._load()
        except RulesetUnreachableError as error:
            self._retry_at = self._monotonic() + self._retry_seconds
            self._on_unreachable(error)
            return None

    def _read(self, data: bytes) -> None:
        try:
            self._active = check_ruleset(data, self._source, self._models)
            self._is_fallback = False
            self._refused = None
            self._on_active(self._active, data)
        except InvalidRulesetError as error:
            self._refused = error
            self._on_refused(error)
        except ModelUnreachableError as error:
            self._retry_at = self._monotonic() + self._retry_seconds
            self._on_unreachable(RulesetUnreachableError(self._source, str(error)))
            return  # the document may be good: it is read again
        self._last_read = data  # a bad document, too, is read only once


class AppConfigDocument:
    """The newest deployed document of an AppConfig profile, fetched with Powertools.

    Parameters
    ----------
    application, environment, profile : str
        Names or ids in AppConfig.
    max_age_seconds : int
        How long a fetched document is used before AppConfig is polled again; at least `MIN_POLL_SECONDS`.
    monotonic : Callable[[], float]
        A clock that never runs backwards, in seconds. The provider's own cache uses local time, which does.
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
        """Name of the document in messages."""
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
            # The provider keeps its session's token after an error. A token is valid for one call within 24 h: one that was used
            # for a lost answer, or is too old, would be refused for ever. A new provider starts a new session.
            self._provider = None
            raise RulesetUnreachableError(self.source, _explained(error)) from error
        if not isinstance(document, bytes):
            raise RulesetUnreachableError(self.source, f"returned {type(document).__name__}, not bytes")
        self._document = document
        self._fresh_until = self._monotonic() + self._max_age_seconds
        return document


def _explained(error: GetParameterError) -> str:
    # Nothing deployed yet: the first answer is empty, and the provider raises a KeyError of its own cache.
    if isinstance(error.__context__, KeyError):
        return "nothing is deployed"
    return str(error)
