"""What the ruleset's model says of the payment, as a feature: rules can use it, and the row holds it.

The model (:mod:`engine.model`) computes it from the other features, so it comes after them, in :func:`engine.decide.decide`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.features.definition import absent_values, double

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.features.definition import FeatureDefinition

FRAUD_PROBABILITY: Final = "fraud_probability"

FEATURES: Final[tuple[FeatureDefinition, ...]] = (
    double(
        FRAUD_PROBABILITY,
        "1",
        "How likely the payment is fraud, as the ruleset's model says, 0 to 1; 0 without a model.",
    ),
)

ABSENT: Final[dict[str, FeatureValue]] = absent_values(FEATURES)
"""Of a payment that no model has scored."""
