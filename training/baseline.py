"""What the payments of a training window were like, for `make model-report` and the alarms on drift: written beside the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from engine.model.drift import SCORE_EDGES, Baseline, score_bin

if TYPE_CHECKING:
    from pathlib import Path

    from engine.model.tables import Model
    from training.point_in_time import TrainingSet

SUFFIX: Final = ".baseline"
"""Of the file's name, in the place of the model's ``.json``."""

_DIGITS: Final = 6


def baseline_of(model: Model, training_set: TrainingSet) -> Baseline:
    """Count the payments of a training set by the model's bins, each with its weight.

    Parameters
    ----------
    model : Model
        As trained,
    training_set : TrainingSet
        on these payments.
    """
    names = [each.name for each in training_set.features]
    texts = training_set.texts
    bins = {name: [0.0] * count for name, count in model.bin_counts.items()}
    scores = [0.0] * (len(SCORE_EDGES) + 1)
    for row, weight in zip(training_set.values.tolist(), training_set.weight.tolist(), strict=True):
        features = dict(zip(names, row, strict=True))
        features |= {name: known[int(features[name])] for name, known in texts.items()}
        for name, place in model.binned(features):
            bins[name][place] += weight
        scores[score_bin(model.fraud_probability(features))] += weight
    whole = sum(scores)
    return Baseline(
        model.sha256,
        whole,
        {name: [round(each / whole, _DIGITS) for each in counts] for name, counts in bins.items()},
        [round(each / whole, _DIGITS) for each in scores],
    )


def write_baseline(model_file: Path, model: Model, training_set: TrainingSet) -> None:
    """Write the baseline beside the model's file."""
    data = msgspec.json.encode(baseline_of(model, training_set))
    model_file.with_suffix(SUFFIX).write_bytes(data + b"\n")
