"""The tables `labels` and `entity_risk` in DynamoDB, as the label stage and its upkeep read them; and the cache's copies made from them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from common.errors import StageError
from contract.entity_ids import id_of_name
from contract.items import from_item
from contract.label import LABELS_TABLE, Label
from contract.label_rows import FRAUD, HONEST, EntityMarks, marks_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

MAX_FRAUDS: Final = 64
"""Payments called fraud that are read of an entity, the newest: as many as a copy holds (:data:`engine.entities.risk.MAX_PAYMENTS`)."""

MAX_USER_LABELS: Final = 200
"""Labels that are read of a user: those of the newest payments."""

MAX_ATTEMPTS: Final = 8
"""How often copies are made again that others change at the same time."""


class CopyContentionError(StageError):
    """Copies that other workers kept changing; the label is tried again.

    Parameters
    ----------
    attempts : int
        How often it was tried.
    """

    def __init__(self, attempts: int) -> None:
        super().__init__(
            f"labels, entity_risk: changed by other workers during {attempts} tries to copy them"
        )
        self.attempts = attempts


class LabelTables:
    """Both tables; every read is consistent.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    labels, entity_risk : str
        Their names in this environment.
    """

    def __init__(self, client: DynamoDBClient, labels: str, entity_risk: str) -> None:
        self._client = client
        self._labels = labels
        self._entity_risk = entity_risk

    def of_payment(self, user_id: str, event_key: str) -> list[Label]:
        """Read all labels of a payment.

        Raises
        ------
        InvalidRowError
            Where a row cannot be read.
        ClientError, BotoCoreError
            When DynamoDB did not answer or refused the request, after retries.
        """
        rows = self._query(self._labels, "user_id", user_id, "label_key", f"{event_key}#")
        labels = [from_item(LABELS_TABLE, row, Label) for row in rows]
        # An id may hold what separates it from the label's: then the key of another payment may begin alike.
        return [label for label in labels if label.event_key == event_key]

    def of_user(self, user_id: str) -> list[Label]:
        """Read the labels of a user's newest payments, :data:`MAX_USER_LABELS` at most or all of one payment; errors as for :meth:`of_payment`."""
        rows = islice(
            self._query(self._labels, "user_id", user_id, newest=MAX_USER_LABELS + 1), MAX_USER_LABELS + 1
        )
        labels = [from_item(LABELS_TABLE, row, Label) for row in rows]
        if len(labels) > MAX_USER_LABELS:
            # Of the last payment some labels may be missing, and then others would count.
            last = labels[-1].event_key
            whole = [label for label in labels if label.event_key != last]
            # Whoever sends very many labels of one payment must not hide the verdict on it.
            labels = whole or self.of_payment(user_id, last)
        return labels

    def marks(self, entity_id: str) -> EntityMarks:
        """Read what counts of an entity's labelled payments: the newest frauds, and the newest honest one; errors as above."""
        frauds = self._query(
            self._entity_risk, "entity_id", entity_id, "payment_key", f"{FRAUD}#", MAX_FRAUDS
        )
        honest = self._query(self._entity_risk, "entity_id", entity_id, "payment_key", f"{HONEST}#", 1)
        return marks_of([*islice(frauds, MAX_FRAUDS), *islice(honest, 1)])

    def _query(
        self, table: str, partition: str, value: str, sort: str = "", prefix: str = "", newest: int = 0
    ) -> Iterator[Mapping[str, Any]]:
        """Read a partition's rows whose sort key begins with a prefix: all in order, or from the newest, that many a page."""
        condition = f"{partition} = :value" + (f" AND begins_with({sort}, :prefix)" if prefix else "")
        request: dict[str, Any] = {
            "TableName": table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": {":value": {"S": value}}
            | ({":prefix": {"S": prefix}} if prefix else {}),
            "ConsistentRead": True,
        }
        if newest:
            request |= {"ScanIndexForward": False, "Limit": newest}
        while True:
            answer = self._client.query(**request)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


class CopyTarget(Protocol):
    """Where copies go; see :class:`cache.label_copies.RedisLabelCopies`."""

    def write(self, risks: Mapping[bytes, bytes | None], verdicts: Mapping[str, bytes | None]) -> None:
        """Set copies, all in one step; CacheUnavailableError."""
        ...


class CopyForms(NamedTuple):
    """How copies are written: functions of the engine, which this package does not know."""

    risk: Callable[[EntityMarks], bytes | None]
    verdicts: Callable[[Sequence[Label]], bytes | None]


class CopySource(Protocol):
    """What copies are made of; see :class:`LabelTables`."""

    def of_user(self, user_id: str) -> list[Label]:
        """Read a user's labels."""
        ...

    def marks(self, entity_id: str) -> EntityMarks:
        """Read what counts of an entity's labelled payments."""
        ...


class Copier:
    """Makes the cache's copies of what the tables hold.

    Parameters
    ----------
    source : CopySource
        The tables.
    target : CopyTarget
        The cache.
    forms : CopyForms
        How copies are written.
    """

    def __init__(self, source: CopySource, target: CopyTarget, forms: CopyForms) -> None:
        self._source = source
        self._target = target
        self._forms = forms

    def copy(self, entity_ids: Sequence[str], user_ids: Sequence[str]) -> None:
        """Bring copies up to date.

        Parameters
        ----------
        entity_ids : Sequence[str]
            As :func:`contract.entity_ids.entity_name` writes them.
        user_ids : Sequence[str]
            Users whose verdicts are copied.

        Raises
        ------
        CacheUnavailableError
            When the cache did not answer.
        CopyContentionError
            When others kept changing the tables.
        """
        # Two workers A and B with labels of two payments at one merchant:
        #
        #   time   A                            B
        #    |     writes its row
        #    |     reads the rows: A
        #    |                                  writes its row
        #    |                                  reads the rows: A, B
        #    |                                  copies A, B; reads A, B: done
        #    |     copies A
        #    v     reads A, B: copies again
        #
        # Who copies last has read the rows after it, and they were what it had copied.
        read = self.read(entity_ids, user_ids)
        for _ in range(MAX_ATTEMPTS):
            self._target.write(*read)
            before, read = read, self.read(entity_ids, user_ids)
            if read == before:
                return
        raise CopyContentionError(MAX_ATTEMPTS)

    def read(
        self, entity_ids: Sequence[str], user_ids: Sequence[str]
    ) -> tuple[dict[bytes, bytes | None], dict[str, bytes | None]]:
        """Make copies from the tables as they are, by entity id and by user; None where there is nothing to copy."""
        risks = {
            id_of_name(entity_id): self._forms.risk(self._source.marks(entity_id)) for entity_id in entity_ids
        }
        verdicts = {user_id: self._forms.verdicts(self._source.of_user(user_id)) for user_id in user_ids}
        return risks, verdicts
