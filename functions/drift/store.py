"""What the drift stage reads: documents of the rules bucket, and labels with the rows of their payments."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from common.batch_requests import BatchReader
from contract.errors import InvalidRowError
from contract.items import from_item
from contract.label import LABELS_TABLE, Label, effective
from contract.scored import Decision, from_history_item
from engine.features.model import FRAUD_PROBABILITY
from engine.features.stored import features_of
from engine.model.outcomes import JudgedPayment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from common.unreadable_rows import UnreadableRows
    from contract.scored import ScoredTransaction

SEGMENTS: Final = 64
"""Parts of the table of labels; a run reads as many as it needs. A user's labels are in one part, and which users are in it is chance."""

_KEYS: Final = 100
_MAX_REQUESTS: Final = 8
_ABSENT: Final = frozenset({"NoSuchKey", "AccessDenied", "404", "403"})


class RulesBucket:
    """Documents by key.

    Parameters
    ----------
    s3 : S3Client
        A low-level client.
    bucket : str
        The rules bucket's name in this environment.
    """

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def get(self, key: str) -> bytes | None:
        """Read an object; None where there is none."""
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _ABSENT:
                return None
            raise


class LabelledPayments:
    """Labels with the rows of their payments.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    labels, history : str
        The tables' names in this environment.
    pause : Callable[[int], None]
        Waits before rows are asked for again.
    unreadable : UnreadableRows
        Gets the labels that cannot be read and are left out.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        labels: str,
        history: str,
        pause: Callable[[int], None],
        unreadable: UnreadableRows,
    ) -> None:
        self._client = client
        self._labels = labels
        self._history = history
        self._unreadable = unreadable
        self._requests = BatchReader(client, _MAX_REQUESTS, pause)

    def read(
        self, max_labels: int, first: int, is_of_model: Callable[[ScoredTransaction], bool]
    ) -> tuple[list[JudgedPayment], float]:
        """Read labels of some users.

        Parameters
        ----------
        max_labels : int
            No further part is read after so many.
        first : int
            The part that is read first, 0 to 63.
        is_of_model : Callable[[ScoredTransaction], bool]
            Whether the model gave the probability in a row.

        Returns
        -------
        tuple[list[JudgedPayment], float]
            Payments whose rows exist, and which share of the table was read.
        """
        found: list[Label] = []
        parts = 0
        while parts < SEGMENTS and len(found) < max_labels:
            found += self._part((first + parts) % SEGMENTS)
            parts += 1
        by_payment = attrgetter("user_id", "event_key")
        counting = [effective(group) for _, group in groupby(sorted(found, key=by_payment), by_payment)]
        return list(
            self._judged([each for each in counting if each is not None], is_of_model)
        ), parts / SEGMENTS

    def _part(self, segment: int) -> Iterator[Label]:
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._labels, Segment=segment, TotalSegments=SEGMENTS
        )
        for page in pages:
            for item in page["Items"]:
                try:
                    label = from_item(LABELS_TABLE, item, Label)
                except InvalidRowError as error:
                    self._unreadable.leave_out(error, item["label_key"]["S"])
                else:
                    yield label

    def _judged(
        self, labels: Sequence[Label], is_of_model: Callable[[ScoredTransaction], bool]
    ) -> Iterator[JudgedPayment]:
        for begin in range(0, len(labels), _KEYS):
            by_key = {(each.user_id, each.event_key): each for each in labels[begin : begin + _KEYS]}
            keys: list[dict[str, Any]] = [
                {"user_id": {"S": user_id}, "event_key": {"S": event_key}} for user_id, event_key in by_key
            ]
            for item in self._requests.rows(self._history, keys):
                label = by_key[item["user_id"]["S"], item["event_key"]["S"]]
                judged = _judged(label, item, is_of_model)
                if judged is not None:
                    yield judged


def _judged(
    label: Label, item: Any, is_of_model: Callable[[ScoredTransaction], bool]
) -> JudgedPayment | None:
    try:
        row = from_history_item(item)
    except InvalidRowError:
        return None  # the score stage reports rows that cannot be read
    probability = features_of(row).get(FRAUD_PROBABILITY) if is_of_model(row) else None
    return JudgedPayment(
        label.occurred_at,
        label.known_at,
        label.is_fraud,
        row.decision is not Decision.APPROVE,
        None if probability is None else float(probability),
    )
