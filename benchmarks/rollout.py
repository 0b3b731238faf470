"""The ruleset of `make bench ROLLOUT=1`: champion and candidate, both with the default model, and a rule in shadow."""

from __future__ import annotations

from typing import Final, NamedTuple

import yaml

from engine.model.tables import read_model
from engine.rollout.start import with_candidate
from lab.models import MODELS
from ops.manifests import ROOT

RULESET: Final = ROOT / "rules" / "default.yaml"
SHARE_PERCENT: Final = 10.0


class Documents(NamedTuple):
    """What decides while something is measured."""

    ruleset: bytes
    model: bytes
    """The model that it names; empty for none."""


def default_documents() -> Documents:
    """The default ruleset, which names no model."""
    return Documents(RULESET.read_bytes(), b"")


def rollout_documents() -> Documents:
    """The default ruleset with the default model, and as its candidate the same with one rule of it in shadow, for 10% of the users."""
    model = (ROOT / MODELS / "default.json").read_bytes()
    read = read_model(model, "models/default.json")
    section = {"sha256": read.sha256, "points": [list(step) for step in read.document.proposed_points]}
    champion = yaml.safe_load(RULESET.read_text()) | {"model": section}
    shadowed = [dict(champion["rules"][0]) | {"mode": "shadow"}, *champion["rules"][1:]]
    candidate = champion | {"version": "candidate", "rules": shadowed}
    document = with_candidate(yaml.safe_dump(champion), yaml.safe_dump(candidate), SHARE_PERCENT)
    return Documents(document.encode(), model)
