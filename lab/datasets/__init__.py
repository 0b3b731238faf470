"""Transactions of one's own: read from files with a column mapping, in the form in which the simulator makes them."""

from __future__ import annotations

from lab.datasets.errors import DatasetError
from lab.datasets.reader import Dataset, in_order, open_dataset

__all__ = ["Dataset", "DatasetError", "in_order", "open_dataset"]
