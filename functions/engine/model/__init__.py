"""A model: lookup tables that say how likely a payment is fraud, read from a document, scored and explained. Trained elsewhere."""

from __future__ import annotations
