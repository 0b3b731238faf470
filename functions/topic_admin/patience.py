"""A new role's rights take a while to reach the brokers: what they refuse for want of rights is asked again, for a minute.

`terraform apply` makes the policy and calls the function in the same breath. Only a refusal for want of rights is worth a second
try; whatever else the brokers refuse, they refuse for good.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

from topic_admin.errors import KafkaUnauthorizedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from topic_admin.planning import StandingTopic, WantedTopic
    from topic_admin.stage import Topics

PATIENCE_SECONDS: Final = 60.0
"""From the first refusal on, over all topics. IAM's changes are seen within seconds as a rule; a minute is its bad day."""

PAUSE_SECONDS: Final = 3.0
"""Between two tries."""

ResultT = TypeVar("ResultT")


class PatientTopics:
    """Topics of a cluster that may not know the role's rights yet. One for each invocation.

    Parameters
    ----------
    topics : Topics
        The cluster.
    monotonic : callable
        A clock in seconds that only goes forward.
    sleep : callable
        Waits so many seconds.
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

    def describe(self, name: str) -> StandingTopic | None:
        """As `Topics.describe`."""
        return self._ask(lambda: self._topics.describe(name))

    def create(self, topic: WantedTopic) -> None:
        """As `Topics.create`."""
        self._ask(lambda: self._topics.create(topic))

    def grow(self, name: str, partitions: int) -> None:
        """As `Topics.grow`."""
        self._ask(lambda: self._topics.grow(name, partitions))

    def configure(self, name: str, configs: dict[str, str]) -> None:
        """As `Topics.configure`."""
        self._ask(lambda: self._topics.configure(name, configs))

    def _ask(self, call: Callable[[], ResultT]) -> ResultT:
        while True:
            try:
                return call()
            except KafkaUnauthorizedError as error:
                now = self._monotonic()
                if self._refused_at is None:
                    self._refused_at = now
                if now + PAUSE_SECONDS > self._refused_at + PATIENCE_SECONDS:
                    raise error.lasting(now - self._refused_at) from error
            self._sleep(PAUSE_SECONDS)
