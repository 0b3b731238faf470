"""The reconciler finds every payment that a stage has missed, on tables as DynamoDB has them, and sends it to the stage."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from common.batch_requests import UnansweredError
from contract.alert import AlertState
from contract.case import CaseKey, SecondLook, owner_of, to_case_item
from contract.flag_hour import SHARDS
from contract.flagged import CONFIRMED_FRAUD, flag, to_flagged_item
from contract.scored import Decision, from_history_item, to_history_item
from reconcile.metrics import Metric
from reconcile.stage import WORKERS, Reconciler
from reconcile.tables import SecondLooks, Tables, Unfinished
from tests.support.cases import make_case
from tests.support.payments import NOW, Metrics, make_scored, make_transaction
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from contract.flagged import FlaggedKey
    from contract.scored import ScoredTransaction

CLEAN = {
    "checked": 0,
    "flagged_rows_repaired": 0,
    "alerts_repaired": 0,
    "cases_repaired": 0,
    "cases_recounted": 0,
    "repairs_failed": 0,
    "hours_unchecked": 0,
}


class Stage:
    """A stage that takes rows, and refuses those of some users."""

    def __init__(self) -> None:
        self.rows: list[Mapping[str, Any]] = []
        self.refuses: set[str] = set()
        self.fails = False

    def send(self, rows: Sequence[Mapping[str, Any]], has_time: Callable[[], bool]) -> int:
        if self.fails and rows:
            raise UnansweredError("flagged_transactions", 20)
        if not has_time():
            return len(rows)
        refused = [row for row in rows if row["user_id"]["S"] in self.refuses]
        self.rows += [row for row in rows if row not in refused]
        return len(refused)

    @property
    def users(self) -> list[str]:
        return sorted(row["user_id"]["S"] for row in self.rows)


class Log:
    def __init__(self) -> None:
        self.errors: list[Mapping[str, Any]] = []

    def error(self, _: str, **fields: Any) -> None:
        self.errors.append(fields)

    def info(self, _: str, **fields: Any) -> None:
        assert all(value == 0 for name, value in fields.items() if name != "checked")


class World:
    """The two tables, and a reconciler with its stages."""

    def __init__(self, dynamodb: Any) -> None:
        self.dynamodb = dynamodb
        for table in ("transaction_history", "flagged_transactions", "cases"):
            make_table(dynamodb, table)
        self.persist, self.alert, self.case, self.metrics = Stage(), Stage(), Stage(), Metrics()
        self.log: Any = Log()

    def decided(
        self, user_id: str, *, age: timedelta = timedelta(hours=2), **changes: Any
    ) -> ScoredTransaction:
        """Store a payment's row, decided so long ago."""
        scored = make_scored(make_transaction(user_id=user_id), scored_at=NOW - age, **changes)
        # boto3 takes binary values as they are; the row's form has them in base64, as requests and streams do.
        item = {**to_history_item(scored, 1_900_000_000), "features": {"B": scored.features}}
        self.dynamodb.put_item(TableName="transaction_history", Item=item)
        return scored

    def flagged(
        self,
        scored: ScoredTransaction,
        state: AlertState | None,
        *,
        case_id: str | None = "",
        age: timedelta = timedelta(hours=2),
        **changes: Any,
    ) -> None:
        """Store its flagged row, settled in the user's first case unless that is said to be another."""
        case = make_case(scored.transaction.user_id)
        self.dynamodb.put_item(TableName="cases", Item=to_case_item(case))
        row = flag(scored, NOW - age, timedelta(days=1))
        case_id = case.case_id if case_id == "" else case_id
        marks = {"alert_state": state, "case_id": case_id, "case_judgement": "undecided"} | changes
        item = to_flagged_item(msgspec.structs.replace(row, **marks))
        self.dynamodb.put_item(TableName="flagged_transactions", Item=item)

    def run(self, *, has_time: Callable[[], bool] = lambda: True, **request: Any) -> dict[str, int]:
        tables = Tables(self.dynamodb, "transaction_history", "flagged_transactions", "cases", lambda _: None)
        reconciler = Reconciler(
            tables,
            self.persist,
            self.alert,
            self.case,
            timedelta(hours=48),
            timedelta(minutes=30),
            self.metrics,
            self.log,
            lambda: NOW,
        )
        return dict(reconciler.run(request, has_time))  # type: ignore[arg-type] # a TypedDict's values


@pytest.fixture
def world(aws: Callable[[str], Any]) -> World:
    return World(aws("dynamodb"))


def test_a_payment_without_a_flagged_row_is_sent_to_persist_whole(world: World) -> None:
    lost = world.decided("lost")

    found = world.run()

    assert found == CLEAN | {"checked": 1, "flagged_rows_repaired": 1}
    assert [from_history_item(row) for row in world.persist.rows] == [lost]
    assert world.alert.rows == []
    assert world.metrics.values[Metric.FLAGGED_ROWS_REPAIRED] == [1]
    assert world.log.errors == [found]


@pytest.mark.parametrize("state", [None, AlertState.CLAIMED])
def test_a_flagged_row_without_an_alert_is_sent_to_alert(world: World, state: AlertState | None) -> None:
    world.flagged(world.decided("silent"), state)

    found = world.run()

    assert found == CLEAN | {"checked": 1, "alerts_repaired": 1}
    assert (world.persist.users, world.alert.users) == ([], ["silent"])
    assert world.metrics.values[Metric.ALERTS_REPAIRED] == [1]


def test_a_flagged_row_without_a_case_is_sent_to_case(world: World) -> None:
    world.flagged(world.decided("nowhere"), AlertState.SENT, case_id=None)

    found = world.run()

    assert found == CLEAN | {"checked": 1, "cases_repaired": 1}
    assert (world.persist.users, world.alert.users, world.case.users) == ([], [], ["nowhere"])
    assert world.metrics.values[Metric.CASES_REPAIRED] == [1]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": CONFIRMED_FRAUD},
        {"case_judgement": "fraud"},
        {"suppression_id": "digest-1"},
        {"case_alert_id": "digest-1"},
        {"case_id": CaseKey(owner_of("changed"), 2).case_id},
        {"case_id": "of another form"},
    ],
    ids=str,
)
def test_a_flagged_row_that_its_case_has_not_followed_is_sent_to_case(
    world: World, changes: dict[str, Any]
) -> None:
    world.flagged(world.decided("changed"), AlertState.SENT, **changes)

    found = world.run()

    assert found == CLEAN | {"checked": 1, "cases_repaired": 1}
    assert (world.persist.users, world.alert.users, world.case.users) == ([], [], ["changed"])


def test_a_row_that_the_case_stage_follows_while_the_run_lasts_is_not_called_missed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = world.decided("changed")
    world.flagged(scored, AlertState.SENT, status=CONFIRMED_FRAUD)
    read = Tables.unfinished

    def followed(tables: Tables, keys: Sequence[FlaggedKey]) -> Unfinished:
        found = read(tables, keys)
        world.flagged(scored, AlertState.SENT, status=CONFIRMED_FRAUD, case_judgement="fraud")
        return found

    monkeypatch.setattr(Tables, "unfinished", followed)

    assert world.run() == CLEAN | {"checked": 1}
    assert world.case.users == []


def test_after_a_restore_all_payments_are_sent_to_case_and_none_is_called_missed(world: World) -> None:
    world.flagged(world.decided("settled"), AlertState.SENT)
    world.flagged(world.decided("changed"), AlertState.SENT, status=CONFIRMED_FRAUD)
    world.flagged(world.decided("nowhere"), AlertState.SENT, case_id=None)

    found = world.run(recount=True)

    assert found == CLEAN | {"checked": 3, "cases_repaired": 1, "cases_recounted": 2}
    assert world.case.users == ["changed", "nowhere", "settled"]


@pytest.mark.parametrize("state", [AlertState.SENT, AlertState.SUPPRESSED])
def test_a_payment_that_was_alerted_on_or_counted_is_left_alone(world: World, state: AlertState) -> None:
    world.flagged(world.decided("done"), state)

    found = world.run()

    assert found == CLEAN | {"checked": 1}
    assert (world.persist.rows, world.alert.rows, world.log.errors) == ([], [], [])


def test_approved_payments_and_repeats_are_not_looked_at(world: World) -> None:
    world.decided("approved", decision=Decision.APPROVE, risk_score=0)
    world.decided("repeat", repeats=7)

    assert world.run() == CLEAN


def test_what_is_younger_than_the_grace_may_still_be_on_its_way(world: World) -> None:
    world.decided("new", age=timedelta(minutes=29))
    world.flagged(world.decided("flagged-late"), None, age=timedelta(minutes=29))

    found = world.run()

    assert (found["flagged_rows_repaired"], found["alerts_repaired"]) == (0, 0)


def test_only_the_last_hours_are_looked_at_unless_more_are_asked_for(world: World) -> None:
    world.decided("old", age=timedelta(hours=50))

    assert world.run() == CLEAN
    assert world.run(hours=72) == CLEAN | {"checked": 1, "flagged_rows_repaired": 1}


@pytest.mark.parametrize("hours", [0, 4_401, "many"])
def test_hours_that_are_none_are_refused_by_name(world: World, hours: object) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\.hours"):
        world.run(hours=hours)


def test_a_payment_that_its_stage_refuses_again_is_counted_as_failed(world: World) -> None:
    world.decided("lost")
    world.decided("poison")
    world.persist.refuses = {"poison"}

    found = world.run()

    assert found == CLEAN | {"checked": 2, "flagged_rows_repaired": 1, "repairs_failed": 1}


def test_a_row_that_cannot_be_read_stops_no_other_repair(world: World) -> None:
    # It is what persist could not read either, so it has no flagged row, and each run meets it again for two days.
    damaged = world.decided("damaged", age=timedelta(hours=3))
    world.dynamodb.update_item(
        TableName="transaction_history",
        Key={name: to_history_item(damaged, 1_900_000_000)[name] for name in ("user_id", "event_key")},
        UpdateExpression="SET decision = :none",
        ExpressionAttributeValues={":none": {"S": "none"}},
    )
    world.decided("lost")

    found = world.run()

    assert found == CLEAN | {"checked": 2, "flagged_rows_repaired": 1, "repairs_failed": 1}
    assert world.persist.users == ["lost"]
    assert "decision" in world.log.errors[0]["problem"]


def test_hours_that_the_run_has_no_time_for_are_counted(world: World) -> None:
    world.decided("lost")

    found = world.run(has_time=lambda: False)

    assert found["hours_unchecked"] > 48
    assert world.persist.rows == []


def test_many_payments_of_an_hour_are_all_looked_at(world: World) -> None:
    for number in range(230):
        world.decided(f"user-{number:03d}")

    found = world.run()

    assert found == CLEAN | {"checked": 230, "flagged_rows_repaired": 230}
    assert world.persist.users == [f"user-{number:03d}" for number in range(230)]


def test_the_time_is_looked_at_within_a_part_of_an_hour_too(world: World) -> None:
    # A stage that hangs takes a minute a call, and after an outage a part of an hour has thousands of payments.
    for number in range(900):
        world.decided(f"user-{number:03d}")
    found = world.run(has_time=lambda: len(world.persist.rows) < 50)

    assert found["hours_unchecked"] > 0
    assert found["flagged_rows_repaired"] == len(world.persist.rows) < 200


def test_canaries_are_left_out_as_their_flagged_rows_expire_after_a_day(world: World) -> None:
    world.decided("canary-flagged-7", age=timedelta(hours=40))
    world.decided("canary-islands", age=timedelta(hours=40))

    found = world.run()

    assert found == CLEAN | {"checked": 1, "flagged_rows_repaired": 1}
    assert world.persist.users == ["canary-islands"]


def test_a_run_that_fails_reports_what_it_has_repaired_before(world: World) -> None:
    world.decided("first", age=timedelta(hours=20))
    world.flagged(world.decided("second", age=timedelta(hours=2)), None)
    world.alert.fails = True

    with pytest.raises(UnansweredError):
        world.run()

    assert world.metrics.values[Metric.FLAGGED_ROWS_REPAIRED] == [1]
    assert world.log.errors[0]["flagged_rows_repaired"] == 1


def test_a_run_says_how_long_released_money_has_waited_for_a_second_person(world: World) -> None:
    world.run()
    for days in (1, 3, 2):
        case = make_case(f"user-{days}", second_look=SecondLook(NOW - timedelta(days=days)))
        world.dynamodb.put_item(TableName="cases", Item=to_case_item(case))
    agreed = SecondLook(NOW - timedelta(days=9), by="bob", at=NOW)
    world.dynamodb.put_item(TableName="cases", Item=to_case_item(make_case("user-9", second_look=agreed)))
    world.run()

    assert world.metrics.values[Metric.SECOND_LOOKS_DUE] == [0, 3]
    assert world.metrics.values[Metric.OLDEST_LOOK_SECONDS] == [0, timedelta(days=3).total_seconds()]


class Parts:
    """Tables of empty parts of an hour, whose reading takes what a test wants."""

    def __init__(self, read: Callable[[str], object]) -> None:
        self._read = read
        self.begun: list[str] = []

    def to_be_flagged(self, hour: str) -> Iterator[list[FlaggedKey]]:
        self.begun.append(hour)
        self._read(hour)
        yield []

    def unfinished(self, _: Sequence[FlaggedKey]) -> Unfinished:
        return Unfinished([], [], [], [])

    def rows(self, _: Sequence[FlaggedKey]) -> list[Mapping[str, Any]]:
        return []

    history_rows = flagged_rows = rows

    def second_looks(self) -> SecondLooks:
        return SecondLooks(0, None)


def run_on(parts: Parts, metrics: Metrics) -> None:
    log: Any = Log()
    reconciler = Reconciler(
        parts, Stage(), Stage(), Stage(), timedelta(hours=2), timedelta(0), metrics, log, lambda: NOW
    )
    reconciler.run({}, lambda: True)


def test_parts_of_an_hour_are_read_at_the_same_time() -> None:
    met = Barrier(WORKERS, timeout=30)  # it breaks, and fails the run, if fewer are read at a time
    parts = Parts(lambda _: met.wait())

    run_on(parts, Metrics())

    assert len(parts.begun) == 3 * SHARDS == len(set(parts.begun))


def test_the_other_parts_of_a_run_that_fails_are_not_begun_and_not_called_unchecked() -> None:
    def fail(_: str) -> None:
        raise UnansweredError("transaction_history", 20)

    parts, metrics = Parts(fail), Metrics()

    with pytest.raises(UnansweredError):
        run_on(parts, metrics)

    assert len(parts.begun) <= WORKERS
    assert metrics.values[Metric.HOURS_UNCHECKED] == [0]
