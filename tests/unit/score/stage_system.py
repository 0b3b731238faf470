"""The score stage on stores in memory, and what a test gives it and reads from its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from engine.profile import Profile, from_bytes
from score.stage import ScoreStage
from tests.support.payments import NOW, make_grocery_payment
from tests.support.score_stores import (
    MemoryCheckpointStore,
    MemoryHistoryStore,
    MemoryProfileStore,
    MemoryQuarantine,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.transaction import Transaction
    from engine.rules.ruleset import Ruleset
    from score.delivery import KafkaEvent, PartialBatchResponse


@dataclass
class SilentTelemetry:
    """Counts calls by name."""

    calls: dict[str, int] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Callable[..., None]:
        def count(*_: object, **__: object) -> None:
            self.calls[name] = self.calls.get(name, 0) + 1

        return count


@dataclass
class System:
    """A stage with its stores."""

    ruleset: Ruleset
    profiles: MemoryProfileStore = field(default_factory=MemoryProfileStore)
    checkpoints: MemoryCheckpointStore = field(default_factory=MemoryCheckpointStore)
    history: MemoryHistoryStore = field(default_factory=MemoryHistoryStore)
    quarantine: MemoryQuarantine = field(default_factory=MemoryQuarantine)
    telemetry: SilentTelemetry = field(default_factory=SilentTelemetry)

    def handle(self, event: KafkaEvent) -> PartialBatchResponse:
        stage = ScoreStage(
            self.profiles,
            self.profiles,
            self.checkpoints,
            self.history,
            self.quarantine,
            lambda: self.ruleset,
            self.telemetry,
            lambda: NOW,
        )
        return stage.handle(event, lambda: True)

    def profile(self, user_id: str = "user-1") -> Profile:
        return from_bytes(self.profiles.body(user_id))


@pytest.fixture
def system(ruleset: Ruleset) -> System:
    return System(ruleset)


def payments(count: int, **changes: object) -> list[Transaction]:
    """Payments of one user, a minute apart, the last one a minute ago."""
    return [
        make_grocery_payment(
            transaction_id=f"t-{place}", timestamp=NOW - timedelta(minutes=count - place), **changes
        )
        for place in range(count)
    ]


def failures(response: PartialBatchResponse) -> list[int]:
    return [failure["itemIdentifier"]["offset"] for failure in response["batchItemFailures"]]
