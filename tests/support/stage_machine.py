"""The score stage as a state machine, compared with a plain sequential recomputation under random interleavings of faults.

Hypothesis draws the interleavings: batches split anyhow over several partitions, writers killed or overtaken at any step,
redeliveries, a cache that is down, is emptied, evicts, fails over, answers late or never, a history that stores a row and
reports a failure, an unavailable quarantine, repeats, late payments, new rulesets. `HYPOTHESIS_PROFILE=long` draws thousands.

The unit test runs the stage as it is; the tests of faults run it for long, and broken on purpose.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from contract.clock import EPOCH, MILLISECOND
from contract.scored import from_history_item
from contract.transaction import encode_transaction
from engine.profile import from_bytes
from score.stage import ScoreStage
from tests.support.entity_witness import EntityWitness, positions_of, state_problems, uncounted
from tests.support.kafka_events import TOPIC
from tests.support.label_copies import LabelWitness, MemoryLabelCopies
from tests.support.logged_topic import LoggedRecord, Topic
from tests.support.oracle import Oracle, profile_problems
from tests.support.payments import NOW, make_grocery_payment
from tests.support.score_stores import MemoryProfileStore
from tests.support.stage_draws import (
    BY_VERSION,
    FIRST_APPENDED_AT,
    FIRST_PARTITIONS,
    PLACES,
    POISON,
    RULESETS,
    USERS,
    faults_drawn,
    seeds,
    sizes,
    steps,
    users,
)
from tests.support.stage_world import (
    Faults,
    Pause,
    RacedTelemetry,
    SteppedCheckpoints,
    SteppedHistory,
    SteppedProfiles,
    SteppedQuarantine,
    Surroundings,
    Writer,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.scored import Position, ScoredTransaction
    from contract.verdict import Verdict
    from engine.rules.ruleset import Ruleset
    from score.delivery import KafkaEvent, PartialBatchResponse
    from score.history_store import RowKey


class ScoreStageMachine(RuleBasedStateMachine):
    """A topic, its consumer and the stage's stores; every rule is one event."""

    def __init__(self) -> None:
        super().__init__()
        self.world = Surroundings()
        self.topic = Topic(FIRST_PARTITIONS)
        self.oracle = Oracle()
        self.labels = LabelWitness()
        self.witness = EntityWitness(self.labels)
        self.batches: dict[datetime, tuple[Position, ...]] = {}
        self.ruleset = RULESETS[0]
        self.abandoned: list[Writer] = []
        self.snapshot = MemoryProfileStore()
        self.appended_at = FIRST_APPENDED_AT
        self.last_id: dict[int, str] = {}
        self.paid = 0
        self.sent: dict[int, list[bytes]] = {}
        self.stored: dict[RowKey, dict[str, dict[str, str]]] = {}
        self.read: dict[RowKey, ScoredTransaction] = {}
        self.problems: dict[RowKey, str] = {}
        self.raced: set[Position] = set()
        self.ticks = 0
        self.clock_step = timedelta()

    # What is under test; a broken stage replaces one of these

    profiles_class = SteppedProfiles
    checkpoints_class = SteppedCheckpoints
    history_class = SteppedHistory

    def handle(self, event: KafkaEvent, pause: Pause, random: Random) -> PartialBatchResponse:
        cache = self.profiles_class(self.world, pause, random)

        def clock() -> datetime:
            at = self._clock()
            self.witness.scores(at, event, cache.counted)
            self.labels.scores(at, cache.labels)
            self.batches[at] = positions_of(event)
            return at

        losses = self.world.losses
        stage = ScoreStage(
            cache,
            cache,
            self.checkpoints_class(self.world, pause, random),
            self.history_class(self.world, pause, random),
            SteppedQuarantine(self.world, pause),
            lambda: self.ruleset,
            RacedTelemetry(self.raced),
            clock,
        )
        response = stage.handle(event, lambda: True)
        if cache.counted is not None and not cache.has_failed and losses == self.world.losses:
            # A batch that begins after this answer reads all that this one was asked to count.
            missing = uncounted(event, response, self.world.profiles.counted)
            assert not missing, missing
        return response

    # Producers

    @initialize(seed=seeds)
    def first_payments(self, seed: int) -> None:
        self.pay(user=None, count=10, seed=seed)

    @rule(user=st.none() | users, count=st.integers(1, 12), seed=seeds)
    def pay(self, user: int | None, count: int, seed: int) -> None:
        random = Random(seed)
        for _ in range(count):
            self._pay(random.randrange(USERS) if user is None else user, random)

    @rule(user=users, seed=seeds)
    def pay_more_often_than_the_profile_keeps_recent_payments(self, user: int, seed: int) -> None:
        self.pay(user=user, count=40, seed=seed)

    @rule(user=users, back=st.integers(0, 45))
    def repeat(self, user: int, back: int) -> None:
        if sent := self.sent.get(user):
            self._send(user, sent[-1 - min(back, len(sent) - 1)])

    @rule(user=users, value=st.sampled_from(POISON))
    def poison(self, user: int, value: bytes | None) -> None:
        self._send(user, value)

    @precondition(lambda self: len(self.topic.logs) == FIRST_PARTITIONS and self._is_drained())
    @rule()
    def add_partition(self) -> None:
        self.topic.add_partition()

    # The consumer

    @rule(sizes=sizes, seed=seeds, faults=faults_drawn)
    def deliver(self, sizes: list[int], seed: int, faults: Faults | None) -> None:
        if (writer := self._begin(sizes, seed, faults)) is not None:
            writer.finish()
            self.topic.answered(writer)

    @rule(sizes=sizes, seed=seeds, faults=faults_drawn, steps=steps)
    def deliver_and_kill(self, sizes: list[int], seed: int, faults: Faults | None, steps: int) -> None:
        if (writer := self._begin(sizes, seed, faults)) is not None:
            writer.step(steps)
            writer.kill()

    @precondition(lambda self: len(self.abandoned) < 4)
    @rule(sizes=sizes, seed=seeds, faults=faults_drawn, steps=steps)
    def deliver_and_time_out(self, sizes: list[int], seed: int, faults: Faults | None, steps: int) -> None:
        """It continues later; its batch is delivered again meanwhile."""
        if (writer := self._begin(sizes, seed, faults)) is not None:
            writer.step(steps)
            if not writer.has_ended:
                self.abandoned.append(writer)

    @precondition(lambda self: self.abandoned)
    @rule(which=st.integers(0, 3), steps=steps, faults=faults_drawn)
    def continue_after_the_time_out(self, which: int, steps: int, faults: Faults | None) -> None:
        self._set(faults)
        writer = self.abandoned[which % len(self.abandoned)]
        writer.step(steps)
        if writer.has_ended:
            self.abandoned.remove(writer)

    @rule(first=st.integers(0, 11), second=st.integers(0, 11), seed=seeds, faults=faults_drawn)
    def deliver_two_partitions_in_parallel(
        self, first: int, second: int, seed: int, faults: Faults | None
    ) -> None:
        both = [self._begin([first, 0], seed, faults), self._begin([0, second], seed, faults)]
        writers = [writer for writer in both if writer is not None]
        order = Random(seed)
        while running := [writer for writer in writers if not writer.has_ended]:
            order.choice(running).step()
        for writer in writers:
            self.topic.answered(writer)

    @rule(partition=st.integers(0, FIRST_PARTITIONS), count=st.integers(1, 20))
    def redeliver_committed(self, partition: int, count: int) -> None:
        if partition < len(self.topic.logs):
            self.topic.rewind(partition, count)

    # People

    @precondition(lambda self: self.read)
    @rule(which=st.integers(0, 30), is_fraud=st.sampled_from((True, True, False, None)))
    def label(self, which: int, is_fraud: bool | None) -> None:
        row = list(self.read.values())[-1 - which % len(self.read)]
        self.labels.label(row, is_fraud, self.world.profiles.labels)

    # The cache

    @rule()
    def damage_labels(self) -> None:
        self.world.profiles.labels.damage()

    @precondition(lambda self: self.world.late_writes)
    @rule(which=st.integers(0, 9))
    def late_write_arrives(self, which: int) -> None:
        late = self.world.late_writes
        late.pop(which % len(late))()

    @rule()
    def empty_cache(self) -> None:
        self.world.profiles.values.clear()
        self.world.profiles.marks.clear()
        self.world.profiles.empty_entities()
        self.world.profiles.labels = MemoryLabelCopies()
        self.world.losses += 1

    @rule()
    def evict_profiles(self) -> None:
        self.world.profiles.values.clear()

    @rule(partition=st.integers(0, FIRST_PARTITIONS))
    def evict_progress(self, partition: int) -> None:
        self.world.profiles.marks.pop((TOPIC, partition), None)

    @rule()
    def replicate(self) -> None:
        self.snapshot = deepcopy(self.world.profiles)

    @rule()
    def fail_over(self) -> None:
        self.world.profiles.go_back_to(deepcopy(self.snapshot))
        self.world.losses += 1

    @rule(ruleset=st.sampled_from(RULESETS))
    def change_ruleset(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset

    @rule(hours=st.sampled_from((-1, 1)))
    def step_clock(self, hours: int) -> None:
        self.clock_step = timedelta(hours=hours)

    # What must hold

    @invariant()
    def stored_rows_are_those_of_the_oracle_and_stay(self) -> None:
        rows = self.world.history.rows
        new = {key: from_history_item(item) for key, item in rows.items() if key not in self.stored}
        self.read |= new
        self.problems |= self.oracle.follow(self.read, BY_VERSION.get, verdicts_of=self._verdicts_known)
        changed = [key for key, item in self.stored.items() if rows[key] != item]
        assert not changed, changed
        self.stored = dict(rows)
        unseen = self.witness.problems(new.values(), self.raced)
        unseen += self.labels.problems(new.values(), self.raced)
        assert not unseen, unseen

    @invariant()
    def committed_records_are_stored_or_quarantined(self) -> None:
        done = self.topic.highest_committed
        quarantined = {record.position for record in self.world.quarantine.kept}
        stored = self.world.history.rows
        missing = [
            expected.position
            for key, expected in self.oracle.payments.items()
            if expected.position.offset < done[expected.position.partition] and key not in stored
        ]
        missing += [p for p in self.oracle.rejected if p.offset < done[p.partition] and p not in quarantined]
        assert not missing, missing

    @rule()
    def recover(self) -> None:
        """Stop all faults and deliver everything; one more payment of each user then shows its profile."""
        self._drain()
        for user in range(USERS):
            self._pay(user, Random(user))
        self._drain()
        self.stored_rows_are_those_of_the_oracle_and_stay()
        # A race is honest where a writer listed the row as decided behind one that was stored otherwise meanwhile.
        problems = {
            key: problem
            for key, problem in self.problems.items()
            if self.read[key].position not in self.raced
        }
        assert not problems, problems
        self.committed_records_are_stored_or_quarantined()
        profiles = {user_id: from_bytes(body) for user_id, (_, body) in self.world.profiles.values.items()}
        wrong = profile_problems(profiles, self.oracle.profiles)
        assert not wrong, wrong
        counted_wrong = state_problems(self.world.profiles, self.read.values())
        assert not counted_wrong, counted_wrong

    def teardown(self) -> None:
        try:
            self.recover()
            for writer in self.abandoned:
                writer.finish()
            while self.world.late_writes:
                self.world.late_writes.pop()()
            self.recover()
        finally:
            for writer in self.abandoned:
                writer.kill()

    # Helpers

    def _pay(self, user: int, random: Random) -> None:
        self.appended_at += timedelta(seconds=random.choice((0, 5, 60, 600, 86_400)))
        is_repeat = random.random() < 0.05 and self.last_id.get(user) is not None
        minutes_late = random.choice((0, 0, 0, 0, 1, 45, -5, 1_000, -600, 3_000, 60_000))
        transaction = make_grocery_payment(
            transaction_id=self.last_id[user] if is_repeat else f"t-{self.paid}",
            user_id=f"user-{user}",
            timestamp=self.appended_at - timedelta(minutes=minutes_late),
            amount=Decimal(random.choice(("0.50", "9.99", "25.00", "400", "1500.50", "99999999"))),
            currency=random.choice(("EUR", "USD", "JPY")),
            location=random.choice(PLACES),
            merchant_id=random.choice(("m-1", "m-2", None)),
            device_id=random.choice(("d-1", "d-2", None)),
            payee_id=random.choice(("p-1", None)),
        )
        self.paid += 1
        self.last_id[user] = transaction.transaction_id
        value = encode_transaction(transaction)
        self.sent.setdefault(user, []).append(value)
        self._send(user, value, is_trusted=minutes_late <= 1_000 and random.random() < 0.2)

    def _send(self, user: int, value: bytes | None, *, is_trusted: bool = False) -> None:
        partition = user % len(self.topic.logs)
        appended_at_ms = (self.appended_at - EPOCH) // MILLISECOND
        record = LoggedRecord(value, appended_at_ms, is_trusted)
        position = self.topic.append(partition, record)
        self.oracle.take(position, value, appended_at_ms, is_trusted=is_trusted)

    def _verdicts_known(self, row: ScoredTransaction) -> Sequence[Verdict]:
        """What the try that stored a row knew of its user, and had not applied to an earlier payment of its batch.

        If it ended before it stored the earlier payment, another try stores that one, and perhaps without the verdict, which the cache has
        lost meanwhile. Nobody can see that: the verdict is applied when a payment finds it again.
        """
        known = self.labels.verdicts_of(row)
        if not known or row.verdicts:
            return known
        batch = self.batches[row.scored_at]
        earlier = set(batch[: batch.index(row.position)])
        is_of_another_try = any(
            other.position in earlier and other.scored_at != row.scored_at
            for other in self.read.values()
            if other.transaction.user_id == row.transaction.user_id
        )
        return () if is_of_another_try else known

    def _begin(self, sizes: list[int], seed: int, faults: Faults | None) -> Writer | None:
        self._set(faults)
        spans, event = self.topic.event(dict(enumerate(sizes[: len(self.topic.logs)])))
        return Writer(spans, lambda pause: self.handle(event, pause, Random(seed))) if spans else None

    def _set(self, faults: Faults | None) -> None:
        self.world.faults = replace(faults or Faults())

    def _clock(self) -> datetime:
        self.ticks += 1
        return NOW + self.clock_step + timedelta(milliseconds=self.ticks)

    def _is_drained(self) -> bool:
        return not any(self.topic.backlog(partition) for partition in range(len(self.topic.logs)))

    def _drain(self) -> None:
        batches = 0
        while not self._is_drained():
            self.deliver(sizes=[50] * len(self.topic.logs), seed=batches, faults=None)
            batches += 1
            assert batches < 1_000, "the backlog does not become empty"
