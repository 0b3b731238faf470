"""The baseline is the training set, counted by the model's bins with its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from contract.scored import Decision
from engine.model.drift import InputCounts, drift, read_baseline
from tests.support.model_samples import make_model
from tests.support.rule_samples import features
from training.baseline import baseline_of, write_baseline
from training.columns import columns
from training.point_in_time import PointInTime, Window

if TYPE_CHECKING:
    from pathlib import Path

    from training.point_in_time import TrainingSet

MODEL = make_model()
PAYMENTS: list[dict[str, Any]] = [
    {"amount_base": 5.0, "channel": "online"},
    {"amount_base": 50.0, "channel": "atm"},
    {"amount_base": 50.0, "channel": "transfer"},
    {"amount_base": 5_000.0, "channel": "app", "is_new_device": True},
]


def _set() -> TrainingSet:
    collected = PointInTime(Window(0, 1_000, 2_000), columns())
    for number, values in enumerate(PAYMENTS):
        collected.see(number, number, Decision.APPROVE, 0, features(**values))
    return collected.labelled()


def test_each_payment_is_in_its_bins_as_live_counts_it() -> None:
    counts = InputCounts()
    for values in PAYMENTS * 300:
        counts.add(MODEL, features(**values), ())

    baseline = baseline_of(MODEL, _set())

    assert (baseline.model, baseline.payments) == (MODEL.sha256, 4.0)
    assert baseline.features["amount_base"] == [0.25, 0.5, 0.0, 0.25]
    found = drift(baseline, counts)
    assert found.score == pytest.approx(0.0, abs=1e-4)
    assert found.largest == pytest.approx(0.0, abs=1e-4)


def test_a_payment_counts_by_its_weight(tmp_path: Path) -> None:
    training_set = _set()
    weighed = training_set.__class__(**vars(training_set) | {"weight": np.array([3.0, 1.0, 1.0, 1.0])})

    write_baseline(tmp_path / "m.json", MODEL, weighed)

    baseline = read_baseline((tmp_path / "m.baseline").read_bytes(), "m")
    assert baseline.payments == 6.0
    assert baseline.features["amount_base"] == [0.5, 0.333333, 0.0, 0.166667]
