"""Makes a model's document of a fit."""

from __future__ import annotations

import json
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from contract.clock import time_text
from engine.model.document import FORMAT, ModelDocument, encode
from training.errors import TrainingError
from training.points import propose

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.rules.ruleset import Ruleset
    from training.point_in_time import TrainingSet


def fit_elsewhere(python: Path, training_set: TrainingSet) -> tuple[dict[str, Any], npt.NDArray[np.float64]]:
    """Run :mod:`training.fit` with the Python of its own environment.

    Parameters
    ----------
    python : Path
        That environment's Python.
    training_set : TrainingSet
        What is fitted.

    Returns
    -------
    tuple[dict, array]
        The parts of the document that come from the data; log-odds of each payment by trees that have not seen it.

    Raises
    ------
    TrainingError
        Where there is too little fraud, or the environment is missing.
    """
    with tempfile.TemporaryDirectory() as folder:
        set_file, out_file = Path(folder, "set.npz"), Path(folder, "fit.npz")
        training_set.save(set_file)
        command = [str(python), "-m", "training.fit", str(set_file), str(out_file)]
        try:
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise TrainingError(f"{python}: {error.strerror}; `make train` sets it up") from error
        if ended.returncode:
            lines = ended.stderr.strip().splitlines() or ["no message"]
            raise TrainingError(f"training.fit: {lines[-1]}")
        with np.load(out_file) as stored:
            return json.loads(stored["result"].tobytes()), stored["unseen"]


def document_of(
    fit: dict[str, Any],
    unseen: npt.NDArray[np.float64],
    training_set: TrainingSet,
    ruleset: Ruleset,
    as_of: datetime,
) -> bytes:
    """Make the document: the same bytes of the same fit.

    Parameters
    ----------
    fit, unseen
        As :func:`fit_elsewhere` gives them.
    training_set : TrainingSet
        What was fitted.
    ruleset : Ruleset
        The rules of the training.
    as_of : datetime
        Up to when labels were used, UTC.
    """
    probability = 1.0 / (1.0 + np.exp(-np.clip(unseen, -500, 500)))
    steps = propose(probability, training_set.points, training_set.is_fraud, training_set.weight)
    content = {
        **fit,
        "format": FORMAT,
        "base_currency": ruleset.base_currency,
        "training": {
            "first": _time(training_set.clock_s.min()),
            "last": _time(training_set.clock_s.max()),
            "labels_until": time_text(as_of),
            "payments": round(float(training_set.weight.sum())),
            "frauds": int(training_set.is_fraud.sum()),
            "left_out": training_set.left_out,
            "ruleset": ruleset.stored_version,
            "data_sha256": training_set.sha256,
        },
        "proposed_points": steps,
    }
    return encode(msgspec.convert(content, ModelDocument))


def _time(at_s: np.int64) -> str:
    return time_text(datetime.fromtimestamp(int(at_s), UTC))
