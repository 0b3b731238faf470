"""The model of a ruleset: which one, and the points that its probability gives."""

from __future__ import annotations

import re
from bisect import bisect_right
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec
import yaml

from engine.errors import InvalidModelError
from engine.model.tables import Model, read_model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.rules.document import Reader

    Models = Callable[[str], bytes | None]
    """Gives a model's document by its sha256; None where it is not known."""

MAX_STEPS: Final = 100
"""The most steps from probability to points."""

MAX_POINTS: Final = 1_000
"""The most points that a step may give or take."""

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def no_models(_sha256: str) -> None:
    """Know no model."""


class RulesetModel(msgspec.Struct, frozen=True):
    """A model as one ruleset uses it."""

    model: Model
    steps: tuple[tuple[float, int], ...] = ()
    """Probability from which so many points are given, ascending in both. Below the first the model gives none; without any it is only
    recorded."""

    def points(self, fraud_probability: float) -> int:
        """Give the points for a probability: those of the last step that it reaches.

        Examples
        --------
        >>> RulesetModel(None, ((0.05, 10), (0.2, 40))).points(0.2)
        40
        """
        reached = bisect_right(self.steps, fraud_probability, key=_begin)
        return self.steps[reached - 1][1] if reached else 0


def _begin(step: tuple[float, int]) -> float:
    return step[0]


def read_model_section(
    reader: Reader, node: yaml.Node, base_currency: str | None, models: Models
) -> RulesetModel | None:
    """Read ``model``; None, and a problem, if it cannot be used.

    Parameters
    ----------
    reader : Reader
        Of the ruleset's document.
    node : yaml.Node
        The mapping with ``sha256`` and ``points``.
    base_currency : str | None
        The ruleset's; None where it is invalid.
    models : Models
        Where the model's document comes from.
    """
    fields = reader.fields(node, "model", ("sha256",), ("points",))
    steps = _read_steps(reader, fields["points"]) if "points" in fields else []
    if "sha256" not in fields:
        return None
    place = fields["sha256"]
    sha256 = reader.name(place, "sha256", _SHA256, "64 digits 0-9 and a-f")
    if sha256 is None:
        return None
    data = models(sha256)
    if data is None:
        reader.report(place, f"no model with the sha256 {sha256[:12]}… is known here")
        return None
    try:
        model = read_model(data, f"model {sha256[:12]}")
    except InvalidModelError as error:
        for problem in error.problems:
            reader.report(place, f"model {sha256[:12]}…: {problem}")
        return None
    if model.sha256 != sha256:
        reader.report(place, f"the document kept as model {sha256[:12]}… is model {model.sha256[:12]}…")
    elif base_currency not in (None, model.document.base_currency):
        reader.report(
            place,
            f"model {sha256[:12]}… was trained on amounts in {model.document.base_currency}; "
            f"this ruleset's are in {base_currency}",
        )
    return RulesetModel(model, tuple(steps))


def _read_steps(reader: Reader, node: yaml.Node) -> Sequence[tuple[float, int]]:
    steps: list[tuple[float, int]] = []
    for item in reader.items(node, "points", MAX_STEPS):
        pair = item.value if isinstance(item, yaml.SequenceNode) else []
        if len(pair) != 2:
            reader.report(
                item, "a step of points must be a list of a probability and its points, as in [0.05, 10]"
            )
            continue
        probability = reader.decimal(pair[0], "probability", Decimal(0), Decimal(1))
        points = reader.integer(pair[1], "points", -MAX_POINTS, MAX_POINTS)
        if probability is None or points is None:
            continue
        if steps and not (steps[-1][0] < probability and steps[-1][1] < points):
            reader.report(
                item,
                f"the step before begins at {steps[-1][0]:g} and gives {steps[-1][1]}; both must rise from step to step",
            )
        steps.append((float(probability), points))
    return steps
