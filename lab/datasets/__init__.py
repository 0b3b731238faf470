"""Transactions of one's own: read from files with a column mapping, as if the simulator had made them."""

from __future__ import annotations

from lab.datasets.errors import DatasetError, MappingError
from lab.datasets.reader import Dataset, in_order, open_dataset

__all__ = ["Dataset", "DatasetError", "MappingError", "in_order", "open_dataset"]
