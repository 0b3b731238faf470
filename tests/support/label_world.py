"""The label stage with its tables, a cache and a queue that delivers again; and what all of them hold, to be compared."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import fakeredis

from cache.copier import Copier
from cache.label_copies import RISK_PREFIX, VERDICTS_PREFIX, RedisLabelCopies
from common.label_tables import LabelTables
from contract.clock import EPOCH, MILLISECOND
from contract.entity_ids import ENTITY_ID_BYTES
from contract.flagged import FlaggedKey, flag, to_flagged_item
from contract.label_message import encode_label_message
from contract.label_rows import PENDING_ATTRIBUTE
from contract.scored import to_history_item
from engine.entities.risk import from_bytes as risk_from_bytes
from engine.profile.verdict_list import from_bytes as verdicts_from_bytes
from label.finder import PaymentFinder
from label.stage import LabelStage
from label.store import LabelStore, Tables
from tests.support.label_memory import MemoryTables
from tests.support.labels import KNOWN_AT
from tests.support.payments import NOW, RETENTION, Context, Log, Metrics
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.label import LabelMessage
    from contract.scored import ScoredTransaction

TABLES = ("transaction_history", "flagged_transactions", "labels", "entity_risk", "pending_labels")
SENT_AT = KNOWN_AT + timedelta(days=10)
"""When messages are sent, unless a test says otherwise."""


class Crash(BaseException):
    """The worker dies, as by a time-out: nothing in the stage may catch it."""


class Calls:
    """Passes every call on, and lets something happen before one of them and after it.

    Parameters
    ----------
    at : int | None
        Number of the call, from 0, counted over everything that is given these; None for never.
    before, after : Callable
        What happens there.
    """

    def __init__(
        self,
        at: int | None = None,
        before: Callable[[], object] = lambda: None,
        after: Callable[[], object] = lambda: None,
    ) -> None:
        self.count = 0
        self.names: list[str] = []
        self._at = at
        self._before = before
        self._after = after

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def made(*args: Any, **kwargs: Any) -> Any:
            number, self.count = self.count, self.count + 1
            self.names.append(name)
            if number == self._at:
                self._before()
            answer = call(*args, **kwargs)
            if number == self._at:
                self._after()
            return answer

        return made


class Spied:
    """Something whose calls are counted."""

    def __init__(self, target: Any, calls: Calls) -> None:
        self._target = target
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        return self._calls.around(name, value) if callable(value) and name != "exceptions" else value


class Quarantined(NamedTuple):
    """A message that was quarantined."""

    body: bytes
    field: str
    problem: str


class Quarantine:
    """Keeps what it gets."""

    def __init__(self) -> None:
        self.messages: list[Quarantined] = []

    def put(self, message_id: str, body: bytes, field: str, problem: str) -> None:
        self.messages.append(Quarantined(body, field, problem))


class State(NamedTuple):
    """What follows from labels, wherever it is kept."""

    statuses: dict[str, str]
    """Event key to the flagged row's status."""
    risk_rows: set[tuple[str, str, str]]
    """Entity or day, payment, and when its label became known."""
    risks: dict[bytes, Any]
    """Entity id to its copy in the cache."""
    verdicts: dict[str, Any]
    """User to their verdicts in the cache."""
    labels: set[tuple[str, str]]
    """Event key and label id."""


class Backend(Protocol):
    """Where the tables are."""

    def clear(self) -> None:
        """Delete everything."""

    def pay(self, scored: ScoredTransaction, key: FlaggedKey, *, is_flagged: bool) -> None:
        """Store a payment as score does, and flag it as persist does."""

    def parts(self, calls: Calls) -> tuple[Any, Any, Any]:
        """A worker's finder, source of labels and store."""

    def state(self) -> tuple[dict[str, str], set[tuple[str, str, str]], set[tuple[str, str]]]:
        """Statuses by event key, rows of entities, labels by event key and id."""


class MemoryBackend:
    """Dictionaries."""

    def __init__(self) -> None:
        self.tables = MemoryTables()

    def clear(self) -> None:
        self.tables = MemoryTables()

    def pay(self, scored: ScoredTransaction, key: FlaggedKey, *, is_flagged: bool) -> None:
        self.tables.payments[key] = scored
        if is_flagged:
            self.tables.statuses[key] = "open"

    def parts(self, calls: Calls) -> tuple[Any, Any, Any]:
        tables = Spied(self.tables, calls)
        return tables, tables, tables

    def state(self) -> tuple[dict[str, str], set[tuple[str, str, str]], set[tuple[str, str]]]:
        return self.tables.state()


class DynamoBackend:
    """Tables in anything with DynamoDB's API.

    Parameters
    ----------
    client
        A client of DynamoDB; the tables are made unless there are some.
    index : str
        The history's index by transaction id; empty where it is switched off.
    """

    def __init__(self, client: Any, index: str = "by_transaction_id") -> None:
        self.client = client
        self.index = index
        existing = client.list_tables()["TableNames"]
        for name in TABLES:
            if name not in existing:
                make_table(client, name)

    def clear(self) -> None:
        for name in TABLES:
            schema = self.client.describe_table(TableName=name)["Table"]["KeySchema"]
            keys = [each["AttributeName"] for each in schema]
            for item in self.client.scan(TableName=name)["Items"]:
                self.client.delete_item(TableName=name, Key={key: item[key] for key in keys})

    def pay(self, scored: ScoredTransaction, key: FlaggedKey, *, is_flagged: bool) -> None:
        self.client.put_item(TableName="transaction_history", Item=to_history_item(scored, 1_900_000_000))
        if is_flagged:
            item = to_flagged_item(flag(scored, NOW, RETENTION))
            self.client.put_item(TableName="flagged_transactions", Item=item)

    def parts(self, calls: Calls) -> tuple[Any, Any, Any]:
        client: Any = Spied(self.client, calls)
        store = LabelStore(
            client,
            Tables("labels", "flagged_transactions", "entity_risk", "pending_labels"),
            timedelta(days=400),
            lambda _: None,
        )
        finder = PaymentFinder(client, "transaction_history", self.index, lambda _: None)
        return finder, LabelTables(client, "labels", "entity_risk"), store

    def waiting(self) -> list[bytes]:
        """Messages that wait."""
        return [
            item["message"]["S"].encode() for item in self.client.scan(TableName="pending_labels")["Items"]
        ]

    def state(self) -> tuple[dict[str, str], set[tuple[str, str, str]], set[tuple[str, str]]]:
        flagged = self.client.scan(TableName="flagged_transactions")["Items"]
        assert all(item["status_shard"]["S"].partition("#")[0] == item["status"]["S"] for item in flagged)
        return (
            {item["event_key"]["S"]: item["status"]["S"] for item in flagged},
            {
                (item["entity_id"]["S"], item["payment_key"]["S"], item["known_at"]["S"])
                for item in self.client.scan(TableName="entity_risk")["Items"]
            },
            {
                (item["event_key"]["S"], item["label_id"]["S"])
                for item in self.client.scan(TableName="labels")["Items"]
            },
        )


class LabelWorld:
    """Everything around the stage, shared by any number of workers.

    Parameters
    ----------
    backend : Backend
        The tables.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.server = fakeredis.FakeServer()
        self.cache = fakeredis.FakeRedis(server=self.server)
        self.quarantine = Quarantine()
        self.metrics = Metrics()
        self.log = Log()
        self.now = SENT_AT + timedelta(seconds=1)

    def clear(self) -> None:
        """Begin anew, with the same tables."""
        self.backend.clear()
        self.cache.flushall()
        self.quarantine.messages.clear()

    def pay(self, scored: ScoredTransaction, *, is_flagged: bool | None = None) -> FlaggedKey:
        """Store a payment as score and persist do; return its key."""
        key = FlaggedKey(scored.transaction.user_id, scored.event_key)
        self.backend.pay(
            scored, key, is_flagged=scored.is_to_be_flagged if is_flagged is None else is_flagged
        )
        return key

    def stage(self, calls: Calls | None = None) -> LabelStage:
        """Start a worker."""
        calls = calls or Calls()
        finder, source, store = self.backend.parts(calls)
        copies: Any = Spied(RedisLabelCopies(self.cache), calls)
        return LabelStage(
            finder,
            source,
            store,
            Copier(source, copies),
            self.quarantine,
            timedelta(days=1_100),
            self.metrics,
            self.log,
            clock=lambda: self.now,
        )

    def send(
        self, *messages: LabelMessage | bytes, calls: Calls | None = None, is_pending: bool = False
    ) -> list[str]:
        """Deliver a batch; return the ids of the messages that failed."""
        event = {"Records": [record(each, str(number), is_pending) for number, each in enumerate(messages)]}
        response = self.stage(calls).handle(event, Context())
        return [str(failure["itemIdentifier"]) for failure in response["batchItemFailures"]]

    def state(self) -> State:
        """Read everything."""
        statuses, risk_rows, labels = self.backend.state()
        cached: dict[bytes, Any] = {key: self.cache.get(key) for key in self.cache.scan_iter()}
        return State(
            statuses,
            risk_rows,
            {
                key.removeprefix(RISK_PREFIX): risk_from_bytes(value)
                for key, value in cached.items()
                if key.startswith(RISK_PREFIX) and len(key) == len(RISK_PREFIX) + ENTITY_ID_BYTES
            },
            {
                key.decode().removeprefix(VERDICTS_PREFIX): tuple(
                    each.verdict for each in verdicts_from_bytes(value)
                )
                for key, value in cached.items()
                if key.startswith(VERDICTS_PREFIX.encode())
            },
            labels,
        )


def record(
    message: LabelMessage | bytes,
    message_id: str = "m-1",
    is_pending: bool = False,
    sent_at: datetime = SENT_AT,
) -> dict[str, Any]:
    """One message as Lambda delivers it."""
    body = message if isinstance(message, bytes) else encode_label_message(message)
    attributes = {PENDING_ATTRIBUTE: {"stringValue": "1", "dataType": "String"}} if is_pending else {}
    return {
        "messageId": message_id,
        "receiptHandle": "handle",
        "body": body.decode(errors="surrogateescape"),
        "attributes": {
            "SentTimestamp": str((sent_at - EPOCH) // MILLISECOND),
            "ApproximateReceiveCount": "1",
        },
        "messageAttributes": attributes,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:labels",
        "awsRegion": "us-east-1",
    }
