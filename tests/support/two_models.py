"""A folder of two models, and rulesets that name them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from engine.model.document import digest_of
from engine.rollout.start import with_candidate
from tests.support.model_samples import model_document

if TYPE_CHECKING:
    from typing import Any

RULES = Path("rules/default.yaml")


def two_models(folder: Path) -> dict[str, bytes]:
    """Write two models into a new folder; give them by their sha256."""
    folder.mkdir()
    models: dict[str, bytes] = {}
    for intercept in (-2.0, -3.0):
        data = model_document(intercept=intercept)
        sha256 = digest_of(data)
        assert sha256 is not None
        (folder / f"{len(models)}.json").write_bytes(data)
        models[sha256] = data
    return models


def rules_naming(champion: str, candidate: str | None = None) -> str:
    """Give a ruleset whose champion names a model, and its candidate, which decides for half of the users, another one."""
    document = _naming(champion)
    if candidate is None:
        return document
    return with_candidate(document, _naming(candidate, version="2"), 50.0)


def _naming(sha256: str, **changes: Any) -> str:
    content = yaml.safe_load(RULES.read_text())
    text: str = yaml.safe_dump(content | {"model": {"sha256": sha256, "points": [[0.1, 15]]}} | changes)
    return text
