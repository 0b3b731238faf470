"""Proof that the state machine can fail: the score stage is broken in each way that its order of steps prevents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from contract.scored import ScoredTransaction, to_history_item
from engine.entities.risk import NO_RISKS
from engine.entities.sightings import sighting_of
from score import batch_work, stage
from score.entity_work import EntityWork
from score.history_store import InsertResult
from score.label_work import LabelWork
from score.profile_store import CacheReading, PartitionProgress, ProfileWrite
from score.user_chain import rebuild
from tests.support.stage_machine import ScoreStageMachine
from tests.support.stage_world import Pause, SteppedHistory, SteppedProfiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from random import Random

    from contract.entity_ids import EntityIds
    from contract.scored import Position
    from contract.verdict import Verdict
    from engine.entities.risk import RiskReading
    from engine.entities.state import Sighting
    from engine.profile import Profile
    from score.delivery import Delivery, KafkaEvent, PartialBatchResponse, Span
    from score.entity_store import EntityAdditions, EntityMark
    from score.history_store import RowKey
    from score.user_chain import SettledChain

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


class NoMarkCheck(ScoreStageMachine):
    """What a batch adds at entities is added whatever the marks are by then, so a late writer counts twice."""

    class Cache(SteppedProfiles):
        def add(self, additions: EntityAdditions) -> list[int]:
            marks = [
                msgspec.structs.replace(
                    mark, read=self._world.profiles.counted_to.get((mark.topic, mark.partition), -1)
                )
                for mark in additions.marks
            ]
            return super().add(msgspec.structs.replace(additions, marks=marks))

    profiles_class = Cache


class NeverCounts(ScoreStageMachine):
    """The batch is answered, and what its entities must count is left for later."""

    class Cache(SteppedProfiles):
        def add(self, additions: EntityAdditions) -> list[int]:
            return []

    profiles_class = Cache


class _WithEntities(ScoreStageMachine):
    """The stage with another way to work on a batch's entities."""

    work: type[EntityWork]
    replaced = "EntityWork"


class AdvancesPastFailed(_WithEntities):
    """The marks move to the end of the batch, whatever failed."""

    class Work(EntityWork):
        def _mark(self, span: Span, failed: set[Position]) -> EntityMark:
            return super()._mark(span, set())

    work = Work


class CountsRepeats(_WithEntities):
    """A payment that is sent again counts again at its entities."""

    class Work(EntityWork):
        def additions(
            self,
            settled: Iterable[SettledChain],
            existing: Mapping[RowKey, ScoredTransaction],
            failed: set[Position],
        ) -> EntityAdditions | None:
            chains = list(settled)
            for chain in chains:
                for place, each in enumerate(chain.folded):
                    delivery = each.delivery
                    if each.outcome.repeats:
                        seen = sighting_of(delivery.user_id, delivery.facts.clock_ms, {})
                        self._sightings.setdefault(delivery.position, seen)
                        outcome = msgspec.structs.replace(each.outcome, repeats=0)
                        chain.folded[place] = msgspec.structs.replace(each, outcome=outcome)
            return super().additions(chains, existing, failed)

    work = Work


class CountsAgain(_WithEntities):
    """A batch that is delivered again adds what is counted already."""

    class Work(EntityWork):
        def use_marks(self, counted_to: Sequence[int], read_s: int) -> None:
            super().use_marks(
                [min(mark, span.first - 1) for mark, span in zip(counted_to, self._batch.spans, strict=True)],
                read_s,
            )

    work, profiles_class = Work, NoMarkCheck.Cache


class SeesNoneOfTheBatch(_WithEntities):
    """Payments of one batch do not see each other at their entities."""

    class Work(EntityWork):
        def see(self, delivery: Delivery, sighting: Sighting) -> None:
            self._sightings[delivery.position] = sighting

    work = Work


class SeesNothingStored(_WithEntities):
    """Later payments of a batch do not see those that an earlier try stored and folded, and did not count."""

    class Work(EntityWork):
        def see_stored(self, delivery: Delivery, existing: Mapping[RowKey, ScoredTransaction]) -> None:
            pass

    work = Work


class ForgetsGaps(_WithEntities):
    """Payments that were scored without the cache are not noticed by the entities."""

    class Work(EntityWork):
        def use_marks(self, counted_to: Sequence[int], read_s: int) -> None:
            super().use_marks(counted_to, read_s)
            self.gap_s = 0

    work = Work


class _WithLabels(ScoreStageMachine):
    """The stage with another way to use what labels say."""

    work: type[LabelWork]
    replaced = "LabelWork"


class IgnoresRisk(_WithLabels):
    """What labels say of entities is not used."""

    class Work(LabelWork):
        def risks(self, ids: EntityIds) -> RiskReading:
            return NO_RISKS

    work = Work


class IgnoresVerdicts(_WithLabels):
    """What people found about a user's payments is not used."""

    class Work(LabelWork):
        def verdicts(self, user_id: str, now: datetime) -> Sequence[Verdict]:
            return ()

    work = Work


BROKEN_STAGES = (
    ProfileBeforeHistory,
    PutInsteadOfInsert,
    NoCompareAndSet,
    NoFailureList,
    NoGapMarks,
    NoMarkCheck,
    NeverCounts,
    AdvancesPastFailed,
    CountsRepeats,
    CountsAgain,
    SeesNoneOfTheBatch,
    SeesNothingStored,
    ForgetsGaps,
    IgnoresRisk,
    IgnoresVerdicts,
)


@pytest.mark.parametrize("broken", BROKEN_STAGES, ids=lambda broken: broken.__name__)
def test_a_broken_stage_is_caught(broken: type[ScoreStageMachine], monkeypatch: pytest.MonkeyPatch) -> None:
    if issubclass(broken, _WithEntities | _WithLabels):
        # Around all writers: they end in any order, and one that put back what it had found would leave another's class.
        monkeypatch.setattr(batch_work, broken.replaced, broken.work)

    with pytest.raises(AssertionError):
        run_state_machine_as_test(broken, settings=ENOUGH)


def test_a_rebuild_that_looks_ahead_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def rebuild_of_all(
        profile: Profile, rows: Any, facts_of: Any, deliveries: Any, unreadable: Any
    ) -> Profile:
        return rebuild(profile, rows, facts_of, (), unreadable)

    monkeypatch.setattr(stage, "rebuild", rebuild_of_all)

    with pytest.raises(AssertionError):
        run_state_machine_as_test(ScoreStageMachine, settings=ENOUGH)
