"""Small models, valid by default."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any, Final

from engine.features.catalogue import CATALOGUE
from engine.model.tables import Model, read_model
from tests.support.rule_samples import features

if TYPE_CHECKING:
    from contract.scored import FeatureValue

_DEFINED: Final = {each.name: each for each in CATALOGUE}

TRAINING: Final[dict[str, Any]] = {
    "first": "2025-05-01T00:00:00Z",
    "last": "2025-05-28T23:59:59Z",
    "labels_until": "2025-06-05T00:00:00Z",
    "payments": 1_000,
    "frauds": 10,
    "left_out": 0,
    "ruleset": "1+0123456789ab",
    "data_sha256": "0" * 64,
}

AMOUNT_TERM: Final[dict[str, Any]] = {
    "axes": [{"feature": "amount_base", "edges": [10.0, 100.0, 1000.0]}],
    "log_odds": [-1.0, 0.0, 1.0, 3.0],
}
DEVICE_TERM: Final[dict[str, Any]] = {
    "axes": [{"feature": "is_new_device", "edges": [0.5]}, {"feature": "amount_base", "edges": [100.0]}],
    "log_odds": [-0.5, 0.0, 0.5, 2.0],
}
FRAUD_TERM: Final[dict[str, Any]] = {
    "axes": [{"feature": "merchant_frauds_30d", "edges": [0.5, 1.5]}],
    "log_odds": [-0.1, 1.0, 2.0],
}
CHANNEL_TERM: Final[dict[str, Any]] = {
    "axes": [{"feature": "channel", "values": [["online", "app"], ["atm"]]}],
    "log_odds": [0.0, 0.75, -0.25],
}
TERMS: Final = (AMOUNT_TERM, DEVICE_TERM, FRAUD_TERM, CHANNEL_TERM)


def model_content(*terms: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What a document of these terms says; :data:`TERMS` where none are given. ``directions`` has directions by feature."""
    terms = terms or TERMS
    names = sorted({axis["feature"] for term in terms for axis in term["axes"]})
    directions = changes.pop("directions", {})
    return {
        "format": 1,
        "base_currency": "USD",
        "training": TRAINING,
        "features": [
            {
                "name": name,
                "type": _DEFINED[name].type,
                "version": _DEFINED[name].version,
                "direction": directions.get(name, 0),
            }
            for name in names
        ],
        "intercept": -4.0,
        "terms": list(terms),
        "calibration": {"slope": 1.0, "offset": 0.0},
        "sample": [],
        **changes,
    }


def sealed(content: object) -> bytes:
    """A document around any content, with its digest."""
    body = json.dumps(content)
    return (
        json.dumps({"sha256": hashlib.sha256(body.encode()).hexdigest(), "model": "MODEL"})
        .replace('"MODEL"', body)
        .encode()
    )


def model_document(*terms: dict[str, Any], **changes: Any) -> bytes:
    """A document with one recorded payment, whose features are all quiet, scored by the reader itself."""
    content = model_content(*terms, **changes)
    if not content["sample"]:
        quiet = features()
        values = [quiet[each["name"]] for each in content["features"]]
        content["sample"] = [{"values": values, "fraud_probability": 0.5}]
        content["sample"][0]["fraud_probability"] = plainest_score(content, quiet)
    return sealed(content)


def make_model(*terms: dict[str, Any], **changes: Any) -> Model:
    """A model of these terms."""
    return read_model(model_document(*terms, **changes), "a model")


def plainest_score(content: dict[str, Any], values: dict[str, FeatureValue]) -> float:
    """The probability of a payment by the plainest way, a look along each axis: what the reader's must be."""
    total = float(content["intercept"])
    for term in content["terms"]:
        place = 0
        for axis in term["axes"]:
            value = values[axis["feature"]]
            edges, texts = axis.get("edges", []), axis.get("values", [])
            rows = [row for row, each in enumerate(texts, 1) if value in each]
            row = rows[0] if rows else sum(edge < value for edge in edges)
            place = place * (len(edges) + len(texts) + 1) + row
        total += term["log_odds"][place]
    log_odds: float = content["calibration"]["slope"] * total + content["calibration"]["offset"]
    return round(1 / (1 + math.exp(-log_odds)), 4)
