"""Proof that the state machine can fail: the score stage is broken in each way that its order of steps prevents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from contract.scored import ScoredTransaction, to_history_item
from score import stage
from score.history_store import InsertResult
from score.profile_store import CacheReading, PartitionProgress, ProfileWrite
from score.user_chain import rebuild
from tests.support.stage_machine import ScoreStageMachine
from tests.support.stage_world import Pause, SteppedHistory, SteppedProfiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from engine.profile import Profile
    from score.delivery import KafkaEvent, PartialBatchResponse, Span

ENOUGH = settings(
    max_examples=400,
    stateful_step_count=50,
    deadline=None,
    database=None,
    derandomize=True,
    report_multiple_bugs=False,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class ProfileBeforeHistory(ScoreStageMachine):
    """Rows are inserted only after the profiles are written."""

    def handle(self, event: KafkaEvent, pause: Pause, random: Random) -> PartialBatchResponse:
        held_back: list[ScoredTransaction] = []
        world = self.world

        class History(SteppedHistory):
            def insert(
                self, rows: Sequence[ScoredTransaction], has_time: Callable[[], bool]
            ) -> list[InsertResult]:
                held_back.extend(rows)
                return [InsertResult.STORED] * len(rows)

        class Profiles(SteppedProfiles):
            def write(
                self, writes: Sequence[ProfileWrite], progress: Sequence[PartitionProgress]
            ) -> list[str]:
                lost = super().write(writes, progress)
                SteppedHistory(world, pause, random).insert(held_back, lambda: True)
                held_back.clear()
                return lost

        self.profiles_class, self.history_class = Profiles, History
        return super().handle(event, pause, random)


class PutInsteadOfInsert(ScoreStageMachine):
    """A row that exists is overwritten."""

    class History(SteppedHistory):
        def _insert(self, row: ScoredTransaction) -> InsertResult:
            key = (row.transaction.user_id, row.event_key)
            self._world.history.rows[key] = to_history_item(row, 0)
            return InsertResult.STORED

    history_class = History


class NoCompareAndSet(ScoreStageMachine):
    """The last writer of a profile wins."""

    class Profiles(SteppedProfiles):
        def write(self, writes: Sequence[ProfileWrite], progress: Sequence[PartitionProgress]) -> list[str]:
            for write in writes:
                stored = self._world.profiles.values.get(write.user_id, (b"", b""))
                write.expected_revision = stored[0]
            return super().write(writes, progress)

    profiles_class = Profiles


class NoFailureList(ScoreStageMachine):
    """The answer never names a record to be delivered again."""

    def handle(self, event: KafkaEvent, pause: Pause, random: Random) -> PartialBatchResponse:
        super().handle(event, pause, random)
        return {"batchItemFailures": []}


class NoGapMarks(ScoreStageMachine):
    """Every profile in the cache is taken for complete."""

    class Profiles(SteppedProfiles):
        def read(
            self, user_ids: Sequence[str], spans: Sequence[Span], entity_ids: Sequence[bytes] = ()
        ) -> CacheReading:
            reading = super().read(user_ids, spans, entity_ids)
            reading.progress = [
                PartitionProgress(m.topic, m.partition, m.folded_to, -1) for m in reading.progress
            ]
            return reading

    profiles_class = Profiles


BROKEN_STAGES = (
    ProfileBeforeHistory,
    PutInsteadOfInsert,
    NoCompareAndSet,
    NoFailureList,
    NoGapMarks,
)


@pytest.mark.parametrize("broken", BROKEN_STAGES, ids=lambda broken: broken.__name__)
def test_a_broken_stage_is_caught(broken: type[ScoreStageMachine]) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(broken, settings=ENOUGH)


def test_a_rebuild_that_looks_ahead_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def rebuild_of_all(profile: Profile, rows: Any, facts_of: Any, deliveries: Any) -> Profile:
        return rebuild(profile, rows, facts_of, (), [])

    monkeypatch.setattr(stage, "rebuild", rebuild_of_all)

    with pytest.raises(AssertionError):
        run_state_machine_as_test(ScoreStageMachine, settings=ENOUGH)
