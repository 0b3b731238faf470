"""The models of the tree, by their sha256: what a ruleset that names one is read with on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.model.document import digest_of
from engine.model.drift import read_baseline
from engine.model.tables import Model, read_model

MODELS: Final = Path("models")
"""The folder of the models that ship, and of those that `make train` makes."""


def kept_model(sha256: str) -> bytes | None:
    """Give the document of a model in :data:`MODELS`; None where none has this digest."""
    for path in sorted(MODELS.glob("*.json")):
        data = path.read_bytes()
        if digest_of(data) == sha256:
            return data
    return None


def kept_baseline(sha256: str) -> bytes | None:
    """Give what the training window of a model in :data:`MODELS` was like; None where that is not known."""
    for path in sorted(MODELS.glob("*.baseline")):
        data = path.read_bytes()
        if read_baseline(data, str(path)).model == sha256:
            return data
    return None


def model_of(path: Path) -> Model:
    """Read the model of a file.

    Raises
    ------
    InvalidModelError
        With every problem.
    OSError
        Where the file cannot be read.
    """
    return read_model(path.read_bytes(), str(path))
