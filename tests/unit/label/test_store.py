"""The label stage's tables, as moto keeps them."""

from __future__ import annotations

import pytest

from tests.support.label_store_contract import LabelStoreContract
from tests.support.label_world import LabelWorld, MemoryBackend


@pytest.fixture
def memory_world() -> LabelWorld:
    return LabelWorld(MemoryBackend())


class TestLabelStore(LabelStoreContract):
    """With moto."""
