"""Retries requests that the brokers refuse for missing permissions, for a minute: a new role's take a while to reach them.

`terraform apply` creates the policy and calls the function immediately afterwards. Only authorization errors are retried; any
other refusal is final. This is not `common.backoff`: what is waited for is known to come once, so the interval is fixed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

from topic_admin.errors import KafkaUnauthorizedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from topic_admin.planning import ExistingTopic, RequestedTopic
    from topic_admin.stage import Topics

MAX_WAIT_SECONDS: Final = 60.0
"""From the first refusal on, over all topics. IAM's changes usually take effect within seconds, at most a minute."""

RETRY_INTERVAL_SECONDS: Final = 3.0
"""Between two tries."""

ResultT = TypeVar("ResultT")


class AuthorizationRetry:
    """Topics of a cluster whose brokers may not know the role's permissions yet. One object for each invocation.

    Parameters
    ----------
    topics : Topics
        The cluster.
    monotonic : callable
        A clock in seconds that never runs backwards.
    sleep : callable
        Waits the given seconds.
    """

    def __init__(
        self,
        topics: Topics,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._topics = topics
        self._monotonic = monotonic
        self._sleep = sleep
        self._refused_at: float | None = None

    def describe(self, name: str) -> ExistingTopic | None:
        """As `Topics.describe`."""
        return self._retried(lambda: self._topics.describe(name))

    def create(self, topic: RequestedTopic) -> None:
        """As `Topics.create`."""
        self._retried(lambda: self._topics.create(topic))

    def grow(self, name: str, partitions: int) -> None:
        """As `Topics.grow`."""
        self._retried(lambda: self._topics.grow(name, partitions))

    def configure(self, name: str, configs: dict[str, str]) -> None:
        """As `Topics.configure`."""
        self._retried(lambda: self._topics.configure(name, configs))

    def _retried(self, call: Callable[[], ResultT]) -> ResultT:
        while True:
            try:
                return call()
            except KafkaUnauthorizedError as error:
                now = self._monotonic()
                if self._refused_at is None:
                    self._refused_at = now
                if now + RETRY_INTERVAL_SECONDS > self._refused_at + MAX_WAIT_SECONDS:
                    raise error.after(now - self._refused_at) from error
            self._sleep(RETRY_INTERVAL_SECONDS)
