"""The point-in-time set: payments with the features that they had when they were scored, and the labels that were known at one time.

What became known later is not in it, so a model trained as of a time is the same whether or not later labels exist.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import numpy as np

from contract.scored import Decision
from engine.features.catalogue import FEATURE_SET
from engine.features.stored import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from contract.scored import FeatureValue
    from engine.model.document import UsedFeature

MAX_KEPT: Final = 1_000_000
"""Beyond so many payments every second is left out, drawn by its key, whatever it is."""

MAX_HONEST: Final = 200_000
"""Honest payments that are trained on. Of more a part is drawn, and each counts for several."""


class Window(NamedTuple):
    """Which payments are learnt from, and when; s since the epoch."""

    begin_s: int
    end_s: int
    """Payments from ``begin_s`` on and before ``end_s``: their labels had the time to become known."""
    as_of_s: int
    """Labels that became known later are not used."""


class _Kept(NamedTuple):
    clock_s: int
    key_hash: int
    is_blocked: bool
    points: int
    features: bytes


@dataclass(frozen=True)
class TrainingSet:
    """Columns of equal length, by payment, in the order of the payments' clocks."""

    features: tuple[UsedFeature, ...]
    values: npt.NDArray[np.float64]
    """A row a payment, a column a feature; of text its place in ``texts``."""
    texts: dict[str, tuple[str, ...]]
    """Feature to its texts."""
    is_fraud: npt.NDArray[np.bool_]
    weight: npt.NDArray[np.float64]
    """For how many payments the payment counts, >= 1."""
    clock_s: npt.NDArray[np.int64]
    since_s: npt.NDArray[np.int64]
    """From the begin of its source's window: sources of different years are cut into the same spans of time."""
    points: npt.NDArray[np.int64]
    """What the rules gave."""
    left_out: int
    """Payments that were blocked and never judged."""

    @property
    def sha256(self) -> str:
        """Of all that is trained on."""
        digest = hashlib.sha256(msgspec.json.encode((self.features, self.texts)))
        for column in (self.values, self.is_fraud, self.weight, self.clock_s, self.since_s):
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()

    def with_fraud_share(self, share: float) -> TrainingSet:
        """Let honest payments count for so many that fraud has this share, where it has more."""
        frauds, honest = self.weight[self.is_fraud].sum(), self.weight[~self.is_fraud].sum()
        factor = max(1.0, float(frauds * (1 / share - 1) / honest))
        return replace(self, weight=np.where(self.is_fraud, self.weight, self.weight * factor))

    def save(self, path: Path) -> None:
        """Write the set for :mod:`training.fit`, which runs in an environment of its own."""
        described = msgspec.json.encode({"features": self.features, "texts": self.texts})
        np.savez(
            path,
            described=np.frombuffer(described, np.uint8),
            values=self.values,
            is_fraud=self.is_fraud,
            weight=self.weight,
            since_s=self.since_s,
        )


class PointInTime:
    """Collects payments as they are decided, and labels as they become known.

    Parameters
    ----------
    window : Window
        Which payments are learnt from, and when.
    features : Sequence[UsedFeature]
        The features that are learnt from.
    max_kept, max_honest : int
        Bounds of what is kept, and of what is trained on.

    Attributes
    ----------
    window : Window
        The window.
    """

    def __init__(
        self,
        window: Window,
        features: Sequence[UsedFeature],
        max_kept: int = MAX_KEPT,
        max_honest: int = MAX_HONEST,
    ) -> None:
        self.window = window
        self._features = tuple(features)
        self._max_kept = max_kept
        self._max_honest = max_honest
        self._every = 1
        self._kept: list[_Kept] = []
        self._labels: dict[int, bool] = {}

    def wants(self, key_hash: int, clock_s: int) -> bool:
        """Whether a payment would be kept; parameters as for :meth:`see`."""
        return self.window.begin_s <= clock_s < self.window.end_s and not key_hash % self._every

    def see(
        self,
        key_hash: int,
        clock_s: int,
        decision: Decision,
        points: int,
        features: Mapping[str, FeatureValue],
    ) -> None:
        """Take a payment as it was decided.

        Parameters
        ----------
        key_hash : int
            64 bits of its key.
        clock_s : int
            Its clock, s since the epoch.
        decision : Decision
            What was decided.
        points : int
            What the rules gave.
        features : Mapping[str, FeatureValue]
            All of the catalogue, in its order, as they were then.
        """
        if not self.wants(key_hash, clock_s):
            return
        self._kept.append(_Kept(clock_s, key_hash, decision is Decision.BLOCK, points, pack(features)))
        if len(self._kept) > self._max_kept:
            self._every *= 2
            self._kept = [each for each in self._kept if not each.key_hash % self._every]

    def know(self, key_hash: int, is_fraud: bool, known_s: int) -> None:
        """Take a label that is known at a time, s since the epoch. One that was not known at ``as_of_s`` is not used."""
        if known_s <= self.window.as_of_s:
            self._labels[key_hash] = is_fraud

    def labelled(self) -> TrainingSet:
        """Give the payments with what is known of them: fraud where somebody said so, else honest, since their labels had the time to come."""
        rows, left_out = [], 0
        for each in sorted(self._kept):
            label = self._labels.get(each.key_hash)
            if label is None and each.is_blocked:
                left_out += 1
            else:
                rows.append((each, bool(label)))
        honest = sum(not is_fraud for _, is_fraud in rows)
        step = max(1, -(-honest // self._max_honest))
        # Other bits than those that thinned what is kept.
        chosen = [(each, is_fraud) for each, is_fraud in rows if is_fraud or not (each.key_hash >> 32) % step]
        weights = [1.0 if is_fraud else float(step) for _, is_fraud in chosen]
        values, texts = self._values([each.features for each, _ in chosen])
        return TrainingSet(
            self._features,
            values,
            texts,
            np.array([is_fraud for _, is_fraud in chosen], np.bool_),
            np.array(weights),
            np.array([each.clock_s for each, _ in chosen], np.int64),
            np.array([each.clock_s - self.window.begin_s for each, _ in chosen], np.int64),
            np.array([each.points for each, _ in chosen], np.int64),
            left_out,
        )

    def _values(self, rows: Sequence[bytes]) -> tuple[npt.NDArray[np.float64], dict[str, tuple[str, ...]]]:
        values = np.empty((len(rows), len(self._features)))
        places: dict[str, dict[str, int]] = {
            each.name: {} for each in self._features if each.type == "string"
        }
        names = [each.name for each in self._features]
        for row, packed in enumerate(rows):
            found = unpack(packed, FEATURE_SET)
            for name, known in places.items():
                found[name] = known.setdefault(str(found[name]), len(known))
            values[row] = [found[name] for name in names]
        return values, {name: tuple(known) for name, known in places.items()}


def combined(sets: Sequence[TrainingSet]) -> TrainingSet:
    """Put sets of the same features one behind the other."""
    if len(sets) == 1:
        return sets[0]
    values = [each.values.copy() for each in sets]
    texts: dict[str, tuple[str, ...]] = {}
    for column, feature in enumerate(sets[0].features):
        if feature.type == "string":
            all_texts = tuple(dict.fromkeys(text for each in sets for text in each.texts[feature.name]))
            texts[feature.name] = all_texts
            for each, own in zip(sets, values, strict=True):
                places = np.array([all_texts.index(text) for text in each.texts[feature.name]])
                own[:, column] = places[own[:, column].astype(np.int64)]
    return TrainingSet(
        sets[0].features,
        np.concatenate(values),
        texts,
        np.concatenate([each.is_fraud for each in sets]),
        np.concatenate([each.weight for each in sets]),
        np.concatenate([each.clock_s for each in sets]),
        np.concatenate([each.since_s for each in sets]),
        np.concatenate([each.points for each in sets]),
        sum(each.left_out for each in sets),
    )
