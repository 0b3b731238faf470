"""The models of the tree, by their sha256: what a ruleset that names one is read with on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.errors import InvalidModelError
from engine.model.document import digest_of
from engine.model.drift import read_baseline
from engine.model.tables import Model, read_model
from engine.rollout.start import named_models
from engine.rules.model_section import RulesetModel

if TYPE_CHECKING:
    from engine.rules.ruleset import Ruleset

MODELS: Final = Path("models")
"""The folder of the models that ship, and of those that `make train` makes."""


def kept_model(sha256: str) -> bytes | None:
    """Give the document of a model in :data:`MODELS`; None where none has this digest."""
    for path in sorted(MODELS.glob("*.json")):
        data = path.read_bytes()
        if digest_of(data) == sha256:
            return data
    return None


def models_named_by(document: str) -> dict[str, bytes | None]:
    """Give the documents of all models that a ruleset names, the champion's first, by sha256; None for one that is not in :data:`MODELS`."""
    return {sha256: kept_model(sha256) for sha256 in named_models(document)}


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


def with_model(ruleset: Ruleset, model: Model, source: str) -> Ruleset:
    """Put a model in the place of a ruleset's; it gives the ruleset's points, else those that it proposes itself.

    Raises
    ------
    InvalidModelError
        Where it was trained on amounts in another base currency; it names ``source``.
    """
    currency = model.document.base_currency
    if currency != ruleset.base_currency:
        problem = f"trained on amounts in {currency}; the ruleset's are in {ruleset.base_currency}"
        raise InvalidModelError(source, (problem,))
    named = ruleset.model
    return ruleset.with_model(
        RulesetModel(model, model.document.proposed_points if named is None else named.steps)
    )
