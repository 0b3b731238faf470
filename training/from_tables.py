"""Payments as the running system stored them: with the features that they had when they were decided, and the labels that people gave them."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from contract.canary import is_canary
from contract.clock import (
    EPOCH,
    MAX_AHEAD_MS,
    MAX_BEHIND_MS,
    MILLISECOND,
    TIME_CHARACTERS,
    time_text,
    times_on,
)
from contract.errors import InvalidRowError
from contract.items import from_item
from contract.label import LABELS_TABLE, Label, effective
from contract.scored import Decision, from_history_item
from contract.truth import Truth
from engine.decide import is_fraudulent
from engine.features.catalogue import FEATURE_SET
from engine.features.stored import unpack
from engine.profile.fingerprints import key_hash
from lab.backtest.outcomes import Users
from lab.progress import Progress
from lab.seen_hashes import SeenHashes
from training.errors import TrainingError
from training.evaluation import Seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contract.scored import FeatureValue, ScoredTransaction
    from engine.model.tables import Model
    from engine.rules.ruleset import Ruleset
    from training.evaluation import LaterPayments
    from training.point_in_time import PointInTime
    from training.tables import StoredRow, Tables

_OTHER: Final = "other"
_KEY_FROM_CLOCK_MS: Final = MAX_BEHIND_MS + MAX_AHEAD_MS


class ModelOf(NamedTuple):
    """A model, and the payments that are evaluated with it."""

    model: Model
    begin_s: int
    """Payments from then on, s since the epoch,"""
    end_s: int
    """and before."""


class _Payment(NamedTuple):
    row: ScoredTransaction
    key_hash: int
    clock_ms: int

    @property
    def clock_s(self) -> int:
        """Seconds since the epoch."""
        return self.clock_ms // 1000


class _Span:
    """From when to when payments are wanted, by their clock; s since the epoch."""

    def __init__(self, begin_s: int, end_s: int) -> None:
        self.begin_s = begin_s
        self.end_s = end_s
        # A key has the event time where it is believed, which is so near to the clock.
        first, last = begin_s * 1000 - _KEY_FROM_CLOCK_MS, end_s * 1000 + _KEY_FROM_CLOCK_MS
        self._first, self._last = (time_text(EPOCH + at_ms * MILLISECOND) for at_ms in (first, last))

    def is_surely_outside(self, stored: StoredRow) -> bool:
        """Whether a row's key alone says that its payment is not wanted: most rows need not be decoded."""
        key = stored.item.get("event_key", {}).get("S")
        return isinstance(key, str) and not self._first <= key[:TIME_CHARACTERS] <= self._last


class StoredPayments:
    """Payments and labels of the tables. Rows come in no order, so nothing here depends on one.

    Canaries and repeats are left out. So are rows whose features another version computed: a model must not learn from two definitions.

    Parameters
    ----------
    tables : Tables
        Where the rows are; read once for the labels, and once for each call.
    ruleset : Ruleset
        The rules beside which the model will decide, without a model: their points are computed from the stored features.

    Attributes
    ----------
    users : Users
        The payments' users.
    others : int
        Payments that were wanted and whose features another version computed.

    Raises
    ------
    TrainingError
        Naming the place of a row that cannot be read.
    """

    def __init__(self, tables: Tables, ruleset: Ruleset) -> None:
        self.users = Users()
        self.others = 0
        self._tables = tables
        self._ruleset = ruleset
        self._progress = Progress(sys.stderr)
        self._labels = _labels_of(tables)

    def collect(self, collectors: Sequence[PointInTime]) -> None:
        """Give each collector the payments of its window, and what was known of them at its time; errors as above."""
        self.others = 0
        span = _Span(
            min(each.window.begin_s for each in collectors), max(each.window.end_s for each in collectors)
        )
        for payment in self._payments(span):
            takers = [each for each in collectors if each.wants(payment.key_hash, payment.clock_s)]
            if not takers:
                continue
            features, points = self._judged(payment)
            labels = self._labels.get(payment.key_hash, ())
            for each in takers:
                each.see(payment.key_hash, payment.clock_s, payment.row.decision, points, features)
                as_of = datetime.fromtimestamp(each.window.as_of_s, UTC)
                if (label := effective(known for known in labels if known.known_at <= as_of)) is not None:
                    each.know(payment.key_hash, label.is_fraud, each.window.as_of_s)

    def evaluate(self, later: LaterPayments, models: Sequence[ModelOf]) -> None:
        """Give the payments after the training, with what is known of them now; errors as above.

        What was blocked and never judged is left out here too: nobody knows what it was.
        """
        for payment in self._payments(_Span(models[0].begin_s, models[-1].end_s)):
            label = effective(self._labels.get(payment.key_hash, ()))
            user = self.users.number(payment.row.transaction.user_id)
            if (label is None and payment.row.decision is Decision.BLOCK) or not later.wants(user):
                continue
            features, points = self._judged(payment)
            model = next(each.model for each in models if each.begin_s <= payment.clock_s < each.end_s)
            truth = _truth(float(features["amount_base"]), label)
            later.add(Seen(payment.clock_s, user, features, truth, points), model)

    def _payments(self, span: _Span) -> Iterator[_Payment]:
        seen = SeenHashes()
        for stored in self._progress.counted(self._tables.history(), "rows read"):
            if span.is_surely_outside(stored):
                continue
            row = _read(stored)
            user_id = row.transaction.user_id
            if row.repeats or is_canary(user_id):
                continue
            appended_ms = (row.appended_at - EPOCH) // MILLISECOND
            clock_ms = times_on(row.basis, row.transaction.timestamp, appended_ms).clock_ms
            payment = _Payment(row, _payment_hash(user_id, row.event_key), clock_ms)
            if not span.begin_s <= payment.clock_s < span.end_s or not seen.add(payment.key_hash):
                continue
            if row.feature_set != FEATURE_SET:
                self.others += 1
                continue
            self._check_currency(row, stored)
            yield payment

    def _judged(self, payment: _Payment) -> tuple[dict[str, FeatureValue], int]:
        """Features, and the rules' points for them."""
        row = payment.row
        features = unpack(row.features, FEATURE_SET)
        return features, is_fraudulent(features, row.transaction, self._ruleset, payment.clock_ms).points

    def _check_currency(self, row: ScoredTransaction, stored: StoredRow) -> None:
        if row.base_currency not in (None, self._ruleset.base_currency):
            raise TrainingError(
                f"{stored.place}: its amounts are compared in {row.base_currency}, those of the ruleset in "
                f"{self._ruleset.base_currency}; name with RULES= the ruleset that decides there"
            )


def _labels_of(tables: Tables) -> dict[int, list[Label]]:
    """All labels by their payment; without what only the label stage needs."""
    labels: dict[int, list[Label]] = {}
    for stored in tables.labels():
        try:
            label = from_item(LABELS_TABLE, stored.item, Label)
        except InvalidRowError as error:
            raise TrainingError(f"{stored.place}: {error}") from error
        if not is_canary(label.user_id):
            slim = msgspec.structs.replace(label, entity_ids=(), seen=())
            labels.setdefault(_payment_hash(label.user_id, label.event_key), []).append(slim)
    return labels


def _read(stored: StoredRow) -> ScoredTransaction:
    try:
        return from_history_item(stored.item)
    except InvalidRowError as error:
        raise TrainingError(f"{stored.place}: {error}") from error


def _payment_hash(user_id: str, event_key: str) -> int:
    """64 bits of both parts of a row's key: two users may have an event key each that is the same."""
    return key_hash(f"{user_id}\x1f{event_key}")


def _truth(amount_base: float, label: Label | None) -> Truth:
    if label is None or not label.is_fraud:
        return Truth(amount_base=amount_base)
    return Truth(scenario=label.fraud_type.value if label.fraud_type else _OTHER, amount_base=amount_base)
