"""The digest stage's table: the contract on moto."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.digest_store_contract import DueDigestsContract, Table

if TYPE_CHECKING:
    from collections.abc import Callable


class TestOnMoto(DueDigestsContract):
    @pytest.fixture
    def table(self, aws: Callable[[str], Any]) -> Table:
        return Table(aws("dynamodb"))
