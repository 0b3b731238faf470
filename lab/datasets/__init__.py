"""Transactions of one's own: read from files with a column mapping, as if the simulator had made them."""

from __future__ import annotations

from contract.errors import MappingError
from lab.datasets.errors import DatasetError
from lab.datasets.reader import Dataset, open_dataset

__all__ = ["Dataset", "DatasetError", "MappingError", "open_dataset"]
