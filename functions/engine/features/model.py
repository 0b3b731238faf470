"""What the ruleset's model says of the payment, as a feature: rules can use it, and the row holds it.

The model (:mod:`engine.model`) computes it from the other features, so it comes after them, in :func:`engine.decide.decide`.
"""

from __future__ import annotations

from typing import Final

from engine.features.definition import absent_values, double

FRAUD_PROBABILITY: Final = "fraud_probability"

FEATURES: Final = (
    double(
        FRAUD_PROBABILITY,
        "1",
        "How likely the payment is fraud, as the ruleset's model says, 0 to 1; 0 without a model.",
    ),
)

ABSENT: Final = absent_values(FEATURES)
"""Of a payment that no model has scored."""
