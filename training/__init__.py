"""Makes models: the point-in-time set from payments and their labels, the training, the model's document and its card."""

from __future__ import annotations
